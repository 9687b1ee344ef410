// SPDX-License-Identifier: MIT
// The embed in pages of others: one list for all engines. A case gets a tool `t`, which drives the engine:
//   t.open(url)                 t.js(f, ...args), in the page of the host
//   t.frame(id = 'demo')        what is in a frame, or in the frame of an element: { js }
//   t.until(what, probe, expected)   t.click(selector)   t.patience(), after which embeds give up
// Over 400 lines because it is a list of cases.
// Functions that are given to `js` run in the page, and may use nothing from outside themselves.
import { ask, patched } from '../site.mjs';

const holds = (condition, what) => {
  if (!condition) throw new Error(what);
};
const equal = (found, expected, what) =>
  holds(
    JSON.stringify(found) === JSON.stringify(expected),
    `${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`,
  );

/** What a reader sees of an embed: its state, and the sizes. Runs in the page. */
function embed(id) {
  const element = document.getElementById(id);
  const frame = element.shadowRoot?.querySelector('iframe');
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const child = element.firstElementChild;
  return {
    frames: element.shadowRoot?.querySelectorAll('iframe').length ?? 0,
    live: !!frame && shown(frame),
    fallback: shown(child) && child.getBoundingClientRect().height > 10,
    height: frame?.offsetHeight ?? 0,
    box: element.offsetHeight,
  };
}
const live = (t, id = 'demo') =>
  t.until(
    `#${id} is live`,
    () => t.js(embed, id),
    (e) => e.live && !e.fallback && e.frames === 1,
  );
/** The words of the author are there to read, and no frame is. */
const falls_back = async (t, id = 'demo') => {
  const { frames, fallback } = await t.js(embed, id);
  equal([frames, fallback], [0, true], `frames and words of #${id}`);
};

/** The numbers in a frame and what they are of. Runs in the frame. */
function numbers() {
  return [...document.querySelectorAll('[data-metric]')].map((e) => [
    e.dataset.metric,
    e.title.split(': ').pop(),
  ]);
}
/** Waits until all numbers of a frame are the core's for that scenario. */
async function shows(t, frame, scenario) {
  const { steps } = await ask('estimate', scenario);
  const expected = new Map(steps.map(({ id, value }) => [id, String(value)]));
  await t.until(
    `the numbers of ${scenario}`,
    async () => {
      const found = await frame.js(numbers).catch((error) => [[String(error), '']]);
      return found.length > 2 ? found.filter(([id, value]) => expected.get(id) !== value) : ['few'];
    },
    (wrong) => wrong.length === 0,
  );
}
/** Height of what is in a frame, and whether it is too wide. Runs in the frame. */
const inner = () => ({
  height: Math.ceil(document.getElementById('embed').getBoundingClientRect().height),
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
});
/** The frame is as high as what is in it. */
const fits = async (t, frame, id = 'demo') => {
  await t.until(
    `the height of #${id}`,
    async () => (await t.js(embed, id)).height - (await frame.js(inner)).height,
    0,
  );
  equal((await frame.js(inner)).wide, 0, 'pixels too wide');
};
const current = () =>
  [...document.querySelectorAll('[aria-current]')].map((e) => `${e.id} ${e.ariaCurrent}`);

/** [name, async (t, hosts) => ..., { allow, engines }]: `allow` are lines of the console that belong. */
export const kCases = [
  [
    'a frame from another host',
    async (t, { url, link }) => {
      await t.open(url('plain.html'));
      await shows(t, t.frame(), link);
    },
  ],
  [
    'the frame that authors paste',
    async (t, { url, link, facts }) => {
      await t.open(url('snippet.html'));
      await shows(t, t.frame(), link);
      equal(await t.js(() => document.querySelector('iframe').title), facts.title, 'its title');
    },
  ],
  [
    'sandbox="allow-scripts", without CORS; storage is blocked there, and not missed',
    async (t, { url, link }) => {
      await t.open(url('sandboxed.html'));
      await shows(t, t.frame(), link);
      const blocked = () => {
        try {
          return `open: ${localStorage.length}`;
        } catch ({ name }) {
          return name;
        }
      };
      equal(await t.frame().js(blocked), 'SecurityError', 'storage');
    },
  ],
  [
    'the element: words first, then the frame in their place',
    async (t, { url, link, facts }) => {
      await t.open(url('element.html'));
      await live(t);
      await shows(t, t.frame(), link);
      await fits(t, t.frame());
      const frame = await t.js(() => {
        const e = document.getElementById('demo').shadowRoot.querySelector('iframe');
        return {
          title: e.title,
          sandbox: e.getAttribute('sandbox'),
          opacity: getComputedStyle(e).opacity,
        };
      });
      equal(frame.title, facts.title, 'the title of the frame');
      equal(
        frame.sandbox,
        'allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads',
        'the sandbox',
      );
      equal(frame.opacity, '1', 'the host’s rules for frames do not reach it');
      // What was pasted is what a reader of a feed sees.
      const words = await t.js(() => document.getElementById('demo').textContent);
      for (const text of [
        facts.sentence,
        facts.verdict.text,
        ...facts.rows.slice(0, 5).map((r) => r.text),
      ])
        holds(words.includes(text), `the words have ${text}`);
    },
  ],
  [
    'under a strict policy of the host',
    async (t, { url, link }) => {
      await t.open(url('element.html', 'strict'));
      await live(t);
      await shows(t, t.frame(), link);
      await fits(t, t.frame());
    },
  ],
  [
    'a policy that forbids the script: the words stay',
    async (t, { url }) => {
      await t.open(url('element.html', 'scriptless'));
      await t.patience();
      await falls_back(t);
      holds(await t.js(() => document.querySelector('#demo table').offsetHeight > 50), 'the table');
    },
    { allow: [/script-src/, /llm-envelope\.js/] },
  ],
  [
    'a policy that forbids the frame: the words stay',
    async (t, { url }) => {
      await t.open(url('element.html', 'frameless'));
      await t.patience();
      await t.until('the words are back', () => t.js(embed, 'demo').then((e) => e.frames), 0);
      await falls_back(t);
    },
    { allow: [/frame-src/, /Refused to (load|frame)/] },
  ],
  [
    'a page and an embed in files',
    async (t, { file, link }) => {
      await t.open(file);
      await live(t);
      await shows(t, t.frame(), link);
      await fits(t, t.frame());
    },
  ],
  [
    'as WordPress frames it',
    async (t, { url, link }) => {
      await t.open(url('wordpress.html'));
      await shows(t, t.frame(), link);
      const height = () => t.js(() => document.querySelector('iframe').clientHeight);
      const { height: wanted } = await t.frame().js(inner);
      holds(wanted > 200 && wanted < 1000 && wanted !== 338, `${wanted} tells something`);
      await t.until('the height', height, wanted);
      const { message, value, secret } = await t.js(() => heard.at(-1));
      equal([message, value, secret], ['height', wanted, 'AbC9xYz0'], 'the message');
    },
  ],
  [
    'what grows is given room, and what shrinks gives it back',
    async (t, { url }) => {
      await t.open(url('element.html'));
      await live(t);
      await fits(t, t.frame());
      const before = (await t.js(embed, 'demo')).height;
      const width = (px) => t.js((w) => void (document.body.style.width = w), px);
      await width('300px');
      await t.until(
        'it is higher',
        () => t.js(embed, 'demo').then((e) => e.height),
        (h) => h > before + 20,
      );
      await fits(t, t.frame());
      await width('');
      await t.until('it is as before', () => t.js(embed, 'demo').then((e) => e.height), before);
      equal((await t.js(embed, 'demo')).box, before, 'the room, after the width has changed');
    },
  ],
  [
    'two embeds and two copies of the loader do not disturb each other',
    async (t, { url, link }) => {
      await t.open(url('two.html'));
      await live(t, 'one');
      await live(t, 'two');
      await shows(t, t.frame('one'), link);
      await shows(t, t.frame('two'), link);
      await fits(t, t.frame('one'), 'one');
      await fits(t, t.frame('two'), 'two');
      const [one, two] = [await t.js(embed, 'one'), await t.js(embed, 'two')];
      holds(two.height > one.height + 50, `${one.height} and ${two.height} px`);
      equal(
        await t.js(() =>
          [...document.querySelectorAll('llm-envelope')].map(
            (e) => e.shadowRoot.querySelectorAll('iframe').length,
          ),
        ),
        [1, 1, 0],
        'frames',
      );
    },
  ],
  [
    'an embed out of sight loads when it is near, and is live before it is seen',
    async (t, { url, link }) => {
      await t.open(url('two.html'));
      await live(t, 'one');
      await live(t, 'two');
      equal((await t.js(embed, 'far')).frames, 0, 'frames far away');
      await t.js(() => {
        const { top } = document.getElementById('far').getBoundingClientRect();
        scrollBy(0, top - innerHeight - 150);
      });
      await live(t, 'far');
      holds(
        await t.js(
          () => document.getElementById('far').getBoundingClientRect().top > innerHeight + 100,
        ),
        'it is still below what is seen',
      );
      await shows(t, t.frame('far'), link);
      await fits(t, t.frame('far'), 'far');
      equal(
        await t.js(() => {
          const e = document.getElementById('far');
          return e.offsetHeight - e.shadowRoot.querySelector('iframe').offsetHeight;
        }),
        0,
        'room that is not used',
      );
    },
  ],
  [
    'links in the text set their embed, and stay links where they cannot',
    async (t, { url, link, other }) => {
      await t.open(url('two.html'));
      await live(t, 'one');
      await live(t, 'two');
      const address = await t.js(() => location.href);
      await t.click('#l1');
      await shows(t, t.frame('one'), other);
      equal(await t.js(current), ['l1 true'], 'the current link');
      await t.click('#l2');
      await shows(t, t.frame('one'), `${link}&batch=64`);
      await t.click('#l3');
      await shows(t, t.frame('two'), other);
      await shows(t, t.frame('one'), `${link}&batch=64`);
      equal(await t.js(current), ['l2 true', 'l3 true'], 'the current links');
      equal(await t.js(() => [location.href, scrollY]), [address, 0], 'address and scrolling');
      // Keys and other buttons are the browser's.
      const kept = await t.js(() => {
        let taken = 0;
        addEventListener('click', (event) => {
          taken += event.defaultPrevented;
          event.preventDefault();
        });
        for (const key of ['ctrlKey', 'metaKey', 'shiftKey', 'altKey'])
          document
            .getElementById('l1')
            .dispatchEvent(
              new MouseEvent('click', { bubbles: true, cancelable: true, [key]: true }),
            );
        return taken;
      });
      equal(kept, 0, 'clicks with a key that were taken');
      await shows(t, t.frame('one'), `${link}&batch=64`);
      await t.js(() => document.getElementById('l4').setAttribute('target', '_self'));
      equal(await t.js(current), ['l2 true', 'l3 true'], 'the current links');
    },
  ],
  [
    'a link in the text that is clicked early counts',
    async (t, { url, other }) => {
      await t.open(url('element.html'));
      await t.js(() => document.querySelector('a[data-llm-envelope]').click());
      await live(t);
      await shows(t, t.frame(), other);
    },
  ],
  [
    'attributes that change, and an element that is taken out and put back',
    async (t, { url, link, other }) => {
      await t.open(url('element.html'));
      await live(t);
      await shows(t, t.frame(), link);
      const set = (name, value) =>
        t.js((n, v) => document.getElementById('demo').setAttribute(n, v), name, value);
      const dark = () => document.documentElement.dataset.theme;
      equal(await t.frame().js(dark), 'light', 'the theme, on a light page');
      const depth = await t.js(() => history.length);
      await set('theme', 'dark');
      await t.until('the theme', () => t.frame().js(dark), 'dark');
      await set('view', 'table');
      await t.until(
        'a table',
        () => t.frame().js(() => document.querySelectorAll('tbody tr').length),
        (n) => n > 4,
      );
      await fits(t, t.frame());
      await set(
        'src',
        await t.js(
          (l) => document.getElementById('demo').getAttribute('src').replace(/#.*/, `#${l}`),
          other,
        ),
      );
      await shows(t, t.frame(), other);
      equal(await t.js(() => history.length), depth, 'entries of the history');
      await t.js(() => {
        const element = document.getElementById('demo');
        element.remove();
        document.getElementById('after').after(element);
      });
      await live(t);
      await shows(t, t.frame(), other);
      await t.js(() => {
        const element = document.getElementById('demo');
        element.remove();
        window.kept = element;
      });
      equal(
        await t.js(() => window.kept.shadowRoot.querySelectorAll('iframe').length),
        0,
        'frames of what is taken out',
      );
      await set('src', 'javascript:void(window.hurt = 1)').catch(() => {});
      await t.js(() => {
        window.kept.setAttribute('src', 'javascript:void(window.hurt = 1)');
        document.body.append(window.kept);
      });
      await falls_back(t);
      equal(await t.js(() => window.hurt ?? 0), 0, 'scripts that ran');
    },
  ],
  [
    'a page that turns dark takes its embeds along, and what readers have changed stays',
    async (t, { url, link, other }) => {
      await t.open(url('element.html'));
      await t.js(() => document.getElementById('demo').setAttribute('edit', 'batch'));
      await live(t);
      const theme = () => document.documentElement.dataset.theme;
      await t.until('light', () => t.frame().js(theme), 'light');
      const turn = (dark) =>
        t.js((d) => {
          document.body.style.cssText = d
            ? 'background: #111; color: oklch(0.9 0.01 80)'
            : 'background: #fff; color: #111';
          document.documentElement.className = d ? 'dark' : '';
        }, dark);
      const batch = (value) =>
        t.frame().js((v) => {
          const input = document.getElementById('f-serve.batch');
          input.value = v;
          input.dispatchEvent(new Event('input', { bubbles: true }));
        }, value);
      await batch('64');
      await shows(t, t.frame(), `${link}&batch=64`);
      await turn(true);
      await t.until('dark', () => t.frame().js(theme), 'dark');
      await shows(t, t.frame(), `${link}&batch=64`);
      // So it does after a link of the text, and in another view.
      await t.js(() => document.querySelector('a[data-llm-envelope]').click());
      await shows(t, t.frame(), other);
      await batch('32');
      await shows(t, t.frame(), `${other}&batch=32`);
      await turn(false);
      await t.until('light', () => t.frame().js(theme), 'light');
      await shows(t, t.frame(), `${other}&batch=32`);
      await t.js(() => document.getElementById('demo').setAttribute('view', 'table'));
      await t.until(
        'a table',
        () => t.frame().js(() => document.querySelectorAll('tbody tr').length),
        (n) => n > 4,
      );
      await shows(t, t.frame(), `${other}&batch=32`);
      equal((await t.js(embed, 'demo')).live, true, 'live');
    },
  ],
  [
    'a host in isolation that keeps the loader: a frame without credentials, or the words',
    async (t, { url, link }) => {
      await t.open(url('own.html', 'isolated'));
      equal(await t.js(() => crossOriginIsolated), true, 'isolated');
      if (await t.js(() => 'credentialless' in HTMLIFrameElement.prototype)) {
        await live(t);
        await shows(t, t.frame(), link);
      } else {
        await t.patience();
        await t.until('no frame', () => t.js(embed, 'demo').then((e) => e.frames), 0);
        await falls_back(t);
      }
    },
    { allow: [/Cross-Origin-Embedder-Policy|COEP|"corp"/i] },
  ],
  [
    'a host in isolation with our loader: the words stay',
    async (t, { url }) => {
      await t.open(url('element.html', 'isolated'));
      await t.patience();
      await falls_back(t);
    },
    { allow: [/llm-envelope\.js/, /Cross-Origin|ERR_BLOCKED|Failed to load/i] },
  ],
  [
    'a column of 200 px',
    async (t, { url, link }) => {
      await t.open(url('narrow.html'));
      await live(t);
      await shows(t, t.frame(), link);
      await fits(t, t.frame());
      const size = await t.frame().js(() => ({
        font: [...document.querySelectorAll('.embed *')]
          .filter((e) => e.checkVisibility() && e.textContent.trim() && e.offsetWidth > 1)
          .map((e) => parseFloat(getComputedStyle(e).fontSize)),
        width: innerWidth,
      }));
      equal(size.width, 200, 'the width');
      holds(Math.min(...size.font) >= 12, `the smallest text: ${Math.min(...size.font)} px`);
    },
  ],
  [
    'messages that mean ill, and heights from another frame',
    async (t, { url, link }) => {
      await t.open(url('hostile.html'));
      await live(t);
      await shows(t, t.frame(), link);
      await fits(t, t.frame());
      await t.js(() => {
        const frame = document
          .getElementById('demo')
          .shadowRoot.querySelector('iframe').contentWindow;
        const ring = {};
        ring.ring = ring;
        const texts = [
          '<img src=x onerror=parent.hurt=1>',
          'javascript:parent.hurt=1',
          '\u0000',
          '%',
          '%E0%A4%A',
          'x'.repeat(1e6),
        ];
        for (const data of [null, 7, 'x', [], ring, new Map(), new ArrayBuffer(9)])
          frame.postMessage(data, '*');
        for (const type of [
          'envelope:height',
          'envelope:ready',
          'envelope:none',
          '__proto__',
          null,
        ])
          frame.postMessage({ type, height: 9, link: 7 }, '*');
        for (const link of [null, 7, {}, [], ...texts.slice(-1)])
          frame.postMessage({ type: 'envelope:set', link }, '*');
        document.getElementById('sibling').contentWindow.postMessage('go', '*');
        postMessage({ type: 'envelope:height', height: 4000 }, '*');
      });
      await t.pause(400);
      await shows(t, t.frame(), link); // nothing of this was a link from the parent
      await fits(t, t.frame());
      await t.js(() => {
        const frame = document
          .getElementById('demo')
          .shadowRoot.querySelector('iframe').contentWindow;
        for (const link of [
          '%',
          '%E0%A4%A',
          '\u0000',
          'n=<img src=x onerror=parent.hurt=1>&model=<b>x</b>',
        ])
          frame.postMessage({ type: 'envelope:set', link }, '*');
      });
      await shows(t, t.frame(), 'n=<img src=x onerror=parent.hurt=1>&model=<b>x</b>');
      equal(
        [
          await t.frame().js(() => document.querySelectorAll('b, img').length),
          await t.js(() => window.hurt ?? 0),
        ],
        [0, 0],
        'elements made of values',
      );
    },
  ],
  [
    'a frame that lies about its height',
    async (t, { url }) => {
      await t.open(url('liar.html'));
      await live(t);
      const height = async (...heights) => {
        await t.js((list) => {
          const odd = { nan: NaN, inf: Infinity, minus: -Infinity };
          document
            .getElementById('demo')
            .shadowRoot.querySelector('iframe')
            .contentWindow.postMessage({ heights: list.map((x) => odd[x] ?? x) }, '*');
        }, heights);
        await t.pause(150);
        return (await t.js(embed, 'demo')).height;
      };
      equal(await height(250.2), 251, 'a good height');
      equal(
        await height('900', 'nan', 'inf', 'minus', null, [700], { a: 1 }, '1e3'),
        251,
        'no numbers',
      );
      equal(await height(1e9), 4000, 'too high');
      equal(await height(-5), 32, 'too low');
    },
  ],
  [
    'no host, a silent host, no WebAssembly, and addresses that are none: the words stay',
    async (t, { url }) => {
      await t.open(url('unable.html'));
      for (const id of ['script', 'data', 'wrong', 'none']) await falls_back(t, id);
      await t.patience();
      for (const id of ['down', 'silent', 'coreless']) {
        await t.until(`#${id} gives up`, () => t.js(embed, id).then((e) => e.frames), 0);
        await falls_back(t, id);
        equal(
          await t.js((i) => document.getElementById(i).offsetHeight < 60, id),
          true,
          'no empty room',
        );
      }
      equal(await t.js(() => window.hurt ?? 0), 0, 'scripts that ran');
      await t.click('#link');
      equal(await t.js(() => location.hash), '#elsewhere', 'the link is a link');
      equal(await t.js(current), [], 'current links');
    },
    {
      allow: [
        /ERR_CONNECTION_REFUSED|Could ?n[o’']t connect|Connection refused/i,
        /WebAssembly|wasm|unsafe-eval|CSP/i,
        /favicon/,
        /^\{\}$/, // so Firefox says that a frame was refused
      ],
    },
  ],
  [
    'a frame without WebAssembly says so',
    async (t, { url, link }) => {
      await t.open(url('coreless.html'));
      await t.until(
        'words',
        () =>
          t
            .frame()
            .js(() => document.body.innerText)
            .catch(String),
        (text) => /could not be worked out|cannot be worked out/.test(text),
      );
      const href = await t.frame().js(() => document.querySelector('a').href);
      holds(href.includes(`/#${link}`), `the link: ${href}`);
    },
    // Firefox's driver tells an error that is logged as {}.
    { allow: [/WebAssembly|wasm|unsafe-eval|CSP/i, /^\{\}$/] },
  ],
  [
    'a platform that drops fragments: the link is in the query',
    async (t, { url, link }) => {
      await t.open(url('query.html'));
      await live(t);
      await shows(t, t.frame('query'), link);
      await shows(t, t.frame('secret'), link);
      await shows(t, t.frame('demo'), link);
      await fits(t, t.frame('demo'));
      equal(
        await t.frame('demo').js(() => [location.hash, document.documentElement.dataset.theme]),
        ['', 'dark'],
        'the fragment, and the attribute that goes into the query',
      );
      equal(
        await t.frame('query').js(() => !!document.querySelector('.embed.line')),
        true,
        'view=line',
      );
    },
  ],
  [
    'a reader who spares bytes keeps the words, and links are links',
    async (t, { url }) => {
      await t.open(url('sparing.html'));
      await t.pause(300);
      await falls_back(t);
      await t.click('#link');
      equal(await t.js(() => location.hash), '#elsewhere', 'the address');
    },
  ],
];
export { embed, fits, live, patched, shows };
