// SPDX-License-Identifier: MIT
// What a person does with the calculator. The numbers on the page are compared with the core's.
import { ask, patched } from './site.mjs';
import {
  exact,
  expect,
  field,
  first_link,
  link_of,
  live,
  open,
  problem,
  shows,
  test,
} from './fixtures.mjs';

const kFirst = await first_link();
const headline = (page) => page.getByRole('heading', { level: 1 });

test.describe('the first view', () => {
  test('has the answer before any script ran', async ({ browser, browserName, baseURL }) => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    // Firefox over BiDi runs scripts all the same: there it gets none.
    if (browserName === 'firefox') await context.route(/\.js$/, (route) => route.abort());
    const page = await context.newPage();
    await page.goto(baseURL);
    await expect(headline(page)).toContainText(/FLOP.*on\s+16,384\s+× .*H100.*MFU.*\$/s);
    await expect(page.locator('.verdict')).toBeVisible();
    await expect(page.locator('figure.chart')).toHaveCount(0);
    const { steps } = await ask('estimate', kFirst);
    const expected = new Map(steps.map(({ id, value }) => [id, String(value)]));
    const doors = (await page.content()).matchAll(
      /data-metric="([^"]*)"[^>]*title="[^"]*: (\S+)\. Show the work\."/g,
    );
    const shown = [...doors].map(([, id, value]) => [id, value]);
    for (const id of ['compute.train', 'time.total', 'cost.total', 'layout.per_gpu', 'gpus.used'])
      expect(shown.map(([shown_id]) => shown_id)).toContain(id);
    for (const [id, value] of shown) expect(value, id).toBe(expected.get(id));
    await expect(page.locator('noscript')).not.toBeEmpty();
    await context.close();
  });

  test('says the same when the script has taken over', async ({ page, request }) => {
    const built = await (await request.get('./')).text();
    await open(page);
    await shows(page, kFirst);
    const same = await page.evaluate((text) => {
      const built = new DOMParser().parseFromString(text, 'text/html');
      const words = (node) => node.textContent.replace(/\s+/g, ' ').trim();
      const pick = (root) =>
        ['h1', '.verdict', '.cards', '.memory', 'form.inputs'].map((s) =>
          words(root.querySelector(s)),
        );
      return [pick(built), pick(document)];
    }, built);
    expect(same[1]).toEqual(same[0]);
    expect(link_of(page), 'a bare address stays bare').toBe('');
  });

  test('keeps what was typed before the core had loaded', async ({ page }) => {
    let release;
    const held = new Promise((done) => (release = done));
    await page.route(/worker-.*\.js$/, async (route) => {
      await held;
      await route.continue();
    });
    await page.goto('./');
    await field(page, 'run.tokens').fill('2T');
    release();
    await live(page);
    await expect(field(page, 'run.tokens')).toHaveValue('2T');
    await shows(page, await patched(kFirst, { 'run.tokens': '2T' }));
  });

  test('stays readable when the core cannot be loaded', async ({ page, seen }) => {
    seen.allow(/./);
    await page.route(/worker-.*\.js$/, (route) => route.abort());
    await page.goto('./');
    await expect(page.getByText('The calculator could not be started')).toBeVisible();
    await expect(headline(page)).toContainText('FLOP');
  });
});

test.describe('an edit', () => {
  test('changes the answer at each keystroke', async ({ page }) => {
    await open(page);
    const tokens = field(page, 'run.tokens');
    await tokens.fill('');
    for (const text of ['1', '15', '15.', '15.6', '15.6T']) {
      await tokens.pressSequentially(text.slice((await tokens.inputValue()).length));
      await expect(tokens, 'the text stays as typed').toHaveValue(text);
      await shows(page, await patched(kFirst, { 'run.tokens': text }));
    }
    await expect(
      page.getByRole('button', { name: /^(calculate|compute|update|apply|run)$/i }),
    ).toHaveCount(0);
  });

  for (const [path, text] of [
    ['run.tokens', '15T'],
    ['run.tokens', '2^43'],
    ['cluster.gpus', '8x64'],
    ['run.mfu', '40%'],
    ['price.usd_per_gpu_hour', '$2.50/h'],
  ])
    test(`understands ${text} in ${path}`, async ({ page }) => {
      await open(page);
      await field(page, path).fill(text);
      await shows(page, await patched(kFirst, { [path]: text }));
      await expect(field(page, path)).not.toHaveAttribute('aria-invalid', 'true');
      const { link } = await ask('estimate', await patched(kFirst, { [path]: text }));
      await expect.poll(() => link_of(page)).toBe(link);
      expect((await exact(page)).length).toBeGreaterThan(5);
    });

  test('of the model works by searching', async ({ page }) => {
    await open(page);
    const model = page.getByRole('combobox', { name: 'Model' });
    await model.click();
    await model.fill('8b llama 3.1');
    await expect(page.getByRole('option', { name: /^Llama 3.1 8B/ }).first()).toBeVisible();
    await page
      .getByRole('option', { name: /^Llama 3.1 8B/ })
      .first()
      .click();
    await expect(headline(page)).toContainText('Llama 3.1 8B');
    await expect(model).toHaveValue(/^Llama 3.1 8B/);
    await shows(page, await patched(kFirst, { 'model.id': 'llama-3.1-8b' }));
  });

  test('can be taken back', async ({ page }) => {
    await open(page, 'v=1&mfu=0.5');
    await page.getByRole('button', { name: /^MFU: back to the default/ }).click();
    const { patch } = await ask('open', 'v=1');
    await shows(page, JSON.stringify(patch));
    await expect(field(page, 'run.mfu')).toBeFocused();
  });

  test('by arrow keys moves a number by a step', async ({ page }) => {
    await open(page);
    await field(page, 'cluster.gpus').press('ArrowUp');
    await shows(page, await patched(kFirst, { 'cluster.gpus': 32768 }));
    await field(page, 'cluster.gpus').press('ArrowDown');
    await shows(page, kFirst);
  });

  test('works in every group, choices and flags too', async ({ page }) => {
    const { fields } = await ask('schema');
    const precision = fields.find(({ key }) => key === 'prec');
    await open(page);
    for (const summary of await page.locator('details.group > summary').all())
      await summary.click();
    await field(page, precision.path).selectOption('fp16');
    await shows(page, await patched(kFirst, { [precision.path]: 'fp16' }));
    const flag = fields.find((f) => f.type === 'flag' && f.tasks.includes('pretrain'));
    const before = await field(page, flag.path).isChecked();
    await field(page, flag.path).click();
    await expect(field(page, flag.path)).toBeChecked({ checked: !before });
    await shows(page, await patched(kFirst, { [precision.path]: 'fp16', [flag.path]: !before }));
  });
});

test.describe('a task and an example', () => {
  for (const [tab, task] of [
    ['Fine-tune', 'finetune'],
    ['Serve', 'serve'],
  ])
    test(`the tab ${tab} opens its first example`, async ({ page }) => {
      const { examples } = await ask('schema');
      const { link } = examples.find((example) => example.task === task);
      await open(page);
      await page.getByRole('link', { name: tab, exact: true }).click();
      await expect(page.getByRole('link', { name: tab, exact: true })).toHaveAttribute(
        'aria-current',
        'page',
      );
      await shows(page, link);
      expect(link_of(page)).toBe(link);
      await expect(page).toHaveTitle(/ · Envelope$/);
    });

  test('each example of the page opens', async ({ page }) => {
    const { examples } = await ask('schema');
    await open(page);
    for (const [tab, task] of [
      ['Pretrain', 'pretrain'],
      ['Fine-tune', 'finetune'],
      ['Serve', 'serve'],
    ])
      for (const { title, link } of examples.filter((example) => example.task === task)) {
        await page.getByRole('link', { name: tab, exact: true }).click();
        await page.getByRole('link', { name: title, exact: true }).click();
        await shows(page, link);
        await expect(page.locator('.eyebrow')).toHaveText(`Example: ${title}`);
      }
  });

  test('a remedy is one click', async ({ page }) => {
    // 405B parameters on eight GPUs cannot fit.
    const link = 'v=1&d=2026-11&n=8&tp=8';
    const { verdict, findings } = await ask('estimate', link);
    const remedies = [verdict, ...findings].flatMap((finding) => finding.remedies ?? []);
    expect(remedies.length).toBeGreaterThan(0);
    await open(page, link);
    await page.locator('.remedies a').first().click();
    await expect.poll(() => link_of(page)).toBe(remedies[0].link);
    await shows(page, remedies[0].link);
  });
});

test.describe('a link', () => {
  test('holds what is on the page and brings it back', async ({ page, context }) => {
    await open(page);
    await field(page, 'run.tokens').fill('15T');
    await field(page, 'cluster.gpus').fill('8x64');
    await field(page, 'run.mfu').fill('40%');
    const scenario = await patched(kFirst, {
      'run.tokens': '15T',
      'cluster.gpus': '8x64',
      'run.mfu': '40%',
    });
    await shows(page, scenario);
    const { link } = await ask('estimate', scenario);
    await expect.poll(() => link_of(page)).toBe(link);
    const other = await context.newPage();
    await other.goto(page.url());
    await live(other);
    await shows(other, scenario);
    expect(await exact(other)).toEqual(await exact(page));
    expect(await headline(other).innerText()).toBe(await headline(page).innerText());
    expect(other.url()).toBe(page.url());
    await other.close();
  });

  test('is copied as it stands in the address', async ({ page }) => {
    await open(page);
    await field(page, 'cluster.gpus').fill('1024');
    const scenario = await patched(kFirst, { 'cluster.gpus': 1024 });
    await shows(page, scenario);
    await page.getByRole('button', { name: 'Copy link' }).first().click();
    await expect(page.getByRole('button', { name: 'Copied' }).first()).toBeVisible();
    const { link } = await ask('estimate', scenario);
    // Pasted where text is welcome: reading the clipboard needs a permission.
    await field(page, 'run.tokens').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Control+V');
    await expect(field(page, 'run.tokens')).toHaveValue(`${page.url().split('#')[0]}#${link}`);
  });

  test('may be written by hand', async ({ page }) => {
    await open(page, 'model=llama-3.1-70b&tokens=15T&n=8x64&mfu=40%');
    const { link, problems } = await ask(
      'estimate',
      'model=llama-3.1-70b&tokens=15T&n=512&mfu=0.4',
    );
    expect(problems).toEqual([]);
    await shows(page, link);
    await expect.poll(() => link_of(page)).toBe(link);
  });

  test('is read from the query where a platform dropped the fragment', async ({ page }) => {
    await page.goto('./?utm_source=mail&v=1&n=64');
    await live(page);
    const { link } = await ask('estimate', 'v=1&n=64');
    await shows(page, link);
    await expect.poll(() => page.url()).toMatch(new RegExp(`/#${link}$`));
  });

  test('may be pasted over the one in the address', async ({ page }) => {
    await open(page, 'v=1&n=64');
    await page.evaluate(() => (location.hash = 'v=1&n=128'));
    await shows(page, 'v=1&n=128');
  });

  for (const [what, link, words] of [
    ['an unknown key', 'v=1&foo=3&n=64', /foo.*not an input/s],
    ['a newer version', 'v=99&n=64', /version 99/],
    ['a key given twice', 'v=1&n=64&n=65', /n/],
  ])
    test(`with ${what} says so and keeps the rest`, async ({ page }) => {
      await open(page, link);
      await expect(page.locator('.answer')).toContainText(words);
      await shows(page, 'v=1&n=64');
      await expect(field(page, 'cluster.gpus')).toHaveValue('64');
    });

  test('with an unknown model says so at the field and keeps the rest', async ({ page }) => {
    await open(page, 'v=1&model=nosuch-7b&n=64');
    await expect(problem(page, 'model.id')).toContainText('nosuch-7b');
    await expect(page.getByRole('combobox', { name: 'Model' })).toHaveAttribute(
      'aria-invalid',
      'true',
    );
    await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue('nosuch-7b');
    await shows(page, 'v=1&n=64');
  });

  for (const [what, link] of [
    ['100 kB of noise', `v=1&n=64&x=${'%3Cb%3E<é>&\u0001'.repeat(6000)}`],
    ['markup', 'v=1&n=64&<img src=x onerror=alert(1)>=<script>alert(2)</script>'],
    ['halves of escapes', 'v=1&n=64&a=%E0%A4%A&b=%zz&%=%'],
  ])
    test(`with ${what} does no harm`, async ({ page }) => {
      page.on('dialog', () => expect('a dialog').toBe('none'));
      await open(page, link);
      await shows(page, 'v=1&n=64');
      expect(await page.locator('main img, main script, main b').count()).toBe(0);
      await field(page, 'cluster.gpus').fill('128');
      await shows(page, 'v=1&n=128');
    });
});

test.describe('a mistake', () => {
  for (const [path, text, words] of [
    ['run.tokens', 'many', /Tokens.*number.*many/],
    ['cluster.gpus', '1.5', /whole/],
    ['run.mfu', '140%', /MFU must be from .*140 ?%/],
    ['run.tokens', '1e400', /Tokens/],
    ['cluster.gpus', 'NaN', /GPUs/],
    ['run.tokens', '<img src=x onerror=alert(1)>', /number.*<img src=x onerror=alert\(1\)/],
  ])
    test(`${text} in ${path} is explained there`, async ({ page }) => {
      page.on('dialog', () => expect('a dialog').toBe('none'));
      await open(page);
      await field(page, path).fill(text);
      await expect(problem(page, path)).toContainText(words);
      await expect(problem(page, path)).toBeVisible();
      await expect(field(page, path)).toHaveValue(text);
      await expect(field(page, path)).toHaveAttribute('aria-invalid', 'true');
      const described = await field(page, path).getAttribute('aria-describedby');
      expect(described.split(' ')).toContain(`e-${path}-0`);
      await expect(page.locator('main')).toHaveClass(/stale/);
      const opacity = () =>
        page.locator('.cards').evaluate((node) => {
          let value = 1;
          for (let n = node; n; n = n.parentElement) value *= Number(getComputedStyle(n).opacity);
          return value;
        });
      await expect.poll(opacity, 'the last answer is dimmed').toBeLessThan(1);
      await shows(page, kFirst); // and is still the last good one
      expect(await page.locator('main img').count()).toBe(0);

      await field(page, path).blur();
      await expect(field(page, path), 'the text is kept').toHaveValue(text);
      await field(page, path).fill('');
      await expect(problem(page, path)).toHaveCount(0);
      await expect(page.locator('main')).not.toHaveClass(/stale/);
    });

  test('in one field does not stop an edit in another', async ({ page }) => {
    await open(page);
    await field(page, 'run.tokens').fill('many');
    await expect(problem(page, 'run.tokens')).toBeVisible();
    await field(page, 'cluster.gpus').fill('64');
    await expect(field(page, 'run.tokens')).toHaveValue('many');
    await field(page, 'run.tokens').fill('2T');
    await shows(page, await patched(kFirst, { 'run.tokens': '2T', 'cluster.gpus': 64 }));
  });

  test('is announced to a screen reader', async ({ page }) => {
    await open(page);
    await field(page, 'cluster.gpus').fill('1.5');
    await expect(page.getByRole('status').first()).toContainText('whole number');
  });
});

test.describe('Back', () => {
  test('returns to the scenario before a jump', async ({ page }) => {
    await open(page);
    await field(page, 'cluster.gpus').fill('1024');
    const { link } = await ask('estimate', await patched(kFirst, { 'cluster.gpus': 1024 }));
    await expect.poll(() => link_of(page)).toBe(link);
    await page.getByRole('link', { name: 'Serve', exact: true }).click();
    await expect(headline(page)).toContainText(/Serving|Serve/i);
    await page.goBack();
    await shows(page, link);
    await expect(field(page, 'cluster.gpus')).toHaveValue('1024');
    await page.goForward();
    await expect(headline(page)).toContainText(/Serving|Serve/i);
  });

  test('loses no edit made just before the jump', async ({ page }) => {
    await open(page);
    const serve_tab = page.getByRole('link', { name: 'Serve', exact: true });
    await field(page, 'cluster.gpus').fill('1024');
    await serve_tab.click();
    await expect(headline(page)).toContainText(/Serving|Serve/i);
    await page.goBack();
    await expect(field(page, 'cluster.gpus')).toHaveValue('1024');
    await shows(page, await patched(kFirst, { 'cluster.gpus': 1024 }));
  });

  test('does not step through the keystrokes of an edit', async ({ page }) => {
    await open(page, 'v=1&n=64');
    const entries = await page.evaluate(() => history.length);
    await field(page, 'cluster.gpus').press('End');
    await field(page, 'cluster.gpus').pressSequentially('00', { delay: 300 });
    await shows(page, 'v=1&n=6400');
    await expect.poll(() => link_of(page)).toContain('n=6400');
    expect(await page.evaluate(() => history.length)).toBe(entries);
  });
});
