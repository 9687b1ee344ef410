// SPDX-License-Identifier: MIT
// What a person does with the calculator. The numbers on the page are compared with the core's.
import { serve } from './serve.mjs';
import { ask, kSite, patched } from './site.mjs';
import {
  exact,
  expect,
  field,
  first_link,
  link_of,
  live,
  numbers_of,
  open,
  problem,
  shows,
  test,
} from './fixtures.mjs';

const kFirst = await first_link();
const headline = (page) => page.getByRole('heading', { level: 1 });
const panel = (page) => page.getByRole('dialog');

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
    const doors = await exact(page).catch(() => null); // no evaluate without JavaScript
    const html = await page.content();
    for (const id of ['compute.train', 'time.total', 'cost.total', 'layout.per_gpu', 'gpus.used']) {
      const { value } = steps.find((step) => step.id === id);
      expect(html, id).toContain(`: ${value}. Show the work.`);
    }
    if (browserName === 'chromium') await expect(page.locator('noscript')).not.toBeEmpty();
    expect(doors?.length ?? 1).toBeGreaterThan(0);
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
        ['h1', '.verdict', '.cards', '.memory', 'form.inputs'].map((s) => words(root.querySelector(s)));
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
    await expect(page.getByRole('button', { name: /^(calculate|compute|update|apply|run)$/i })).toHaveCount(0);
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
    await page.getByRole('option', { name: /^Llama 3.1 8B/ }).first().click();
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
    for (const summary of await page.locator('details.group > summary').all()) await summary.click();
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
    const { link, problems } = await ask('estimate', 'model=llama-3.1-70b&tokens=15T&n=512&mfu=0.4');
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
    ['run.mfu', '140%', /MFU must be from .* to 1, not 1\.4/],
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
    await page.goto('method/');
    await open(page, 'v=1&n=64');
    await field(page, 'cluster.gpus').press('End');
    await field(page, 'cluster.gpus').pressSequentially('00');
    await shows(page, 'v=1&n=6400');
    await expect.poll(() => link_of(page)).toContain('n=6400');
    // Not goBack: Firefox brings the page back without loading it, and that waits for a load.
    await page.evaluate(() => history.back());
    await expect(page).toHaveURL(/method\/$/);
  });
});

test.describe('the work behind a number', () => {
  test('opens with formula, values, help and source', async ({ page }) => {
    const { metrics, sources } = await ask('schema');
    const metric = metrics.find(({ id }) => id === 'compute.train');
    await open(page);
    await numbers_of(page, 'compute.train').first().click();
    await expect(panel(page)).toBeVisible();
    await expect(panel(page).getByRole('heading', { name: metric.label })).toBeFocused();
    await expect(panel(page)).toContainText(metric.help);
    await expect(panel(page)).toContainText(metric.kind);
    expect(await panel(page).locator('math').count(), 'symbols, values, result').toBeGreaterThan(2);
    const height = await panel(page).locator('math').nth(1).evaluate((m) => m.getBoundingClientRect().height);
    expect(height, 'the formula has a size').toBeGreaterThan(8);
    const { url, author } = sources[metric.source[0]];
    await expect(panel(page).locator(`a[href="${url}"]`)).toContainText(author);
    const { steps } = await ask('estimate', kFirst);
    const { value } = steps.find(({ id }) => id === 'compute.train');
    await expect(panel(page).locator('code').first()).toContainText(/\d/);
    const shown = await panel(page).locator('code').first().innerText();
    expect(Number(shown.replace(/[^\d.e+-]/g, ''))).toBe(value);
    await panel(page).getByRole('button', { name: 'Close' }).click();
    await expect(panel(page)).toBeHidden();
    await expect(numbers_of(page, 'compute.train').first()).toBeFocused();
  });

  test('leads from number to number and back, and to the input', async ({ page }) => {
    await open(page);
    await numbers_of(page, 'cost.total').first().click();
    const title = await panel(page).getByRole('heading').first().innerText();
    const inner = panel(page).locator('dd ul.links').first().getByRole('button').first();
    const name = await inner.innerText();
    await inner.click();
    await expect(panel(page).getByRole('heading', { name, exact: true })).toBeVisible();
    await panel(page).getByRole('button', { name: /^Back/ }).click();
    await expect(panel(page).getByRole('heading', { name: title, exact: true })).toBeVisible();
    await panel(page).getByRole('button', { name: 'Close' }).click();

    await numbers_of(page, 'gpus.used').first().click();
    await panel(page).getByRole('button', { name: 'GPUs', exact: true }).last().click();
    await expect(panel(page)).toBeHidden();
    await expect(field(page, 'cluster.gpus')).toBeFocused();
  });

  test('is there for every number of the answer', async ({ page }) => {
    test.slow();
    const { steps } = await ask('estimate', kFirst);
    const { metrics } = await ask('schema');
    await open(page);
    const work = page.locator('section.work');
    for (const stage of await work.locator('details.stage > summary').all()) await stage.click();
    await expect(work.locator('details.step')).toHaveCount(steps.length);
    await work.locator('details.step').evaluateAll((all) => all.forEach((step) => (step.open = true)));
    await expect(work.locator('.derivation')).toHaveCount(steps.length);
    // Each says how it came about: a formula, or that it was looked up or chosen, and whose it is.
    const found = await work.locator('details.step').evaluateAll((all) =>
      all.map((step) => ({
        id: step.querySelector('.derivation .tools code').textContent,
        label: step.querySelector('.label').textContent,
        math: step.querySelectorAll('.derivation math').length,
        sources: step.querySelectorAll('.sources li').length,
        broken: /NaN|undefined|\[object/.exec(step.textContent)?.[0] ?? '',
      })),
    );
    expect(found.map(({ id }) => id).sort()).toEqual(steps.map(({ id }) => id).sort());
    const formula = new Map(steps.map((step) => [step.id, step.formula]));
    const table = new Map(metrics.map((metric) => [metric.id, metric]));
    const missing = found.filter(
      ({ id, label, math, sources, broken }) =>
        label !== table.get(id).label ||
        (formula.get(id) !== '' && math < 2) ||
        sources < table.get(id).source.length ||
        broken,
    );
    expect(missing).toEqual([]);
  });

  test('is reached and left by keyboard alone', async ({ page }) => {
    await open(page);
    const focused = () => page.evaluate(() => document.activeElement?.id ?? '');
    for (let i = 0; i < 60 && (await focused()) !== 'f-cluster.gpus'; ++i)
      await page.keyboard.press('Tab');
    expect(await focused()).toBe('f-cluster.gpus');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('512');
    await shows(page, await patched(kFirst, { 'cluster.gpus': 512 }));
    const door = () => page.evaluate(() => document.activeElement?.dataset?.metric ?? '');
    for (let i = 0; i < 90 && (await door()) !== 'time.total'; ++i)
      await page.keyboard.press('Shift+Tab');
    expect(await door()).toBe('time.total');
    const ring = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
    });
    expect(ring, 'the focus is visible').toBe(true);
    await page.keyboard.press('Enter');
    await expect(panel(page)).toBeVisible();
    await expect(panel(page).getByRole('heading').first()).toBeFocused();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement.closest('dialog') !== null)).toBe(true);
    await page.keyboard.press('Escape');
    await expect(panel(page)).toBeHidden();
    expect(await door()).toBe('time.total');
  });
});

test.describe('charts', () => {
  for (const [task, link, names] of [
    ['pretraining', kFirst, [/Time against GPUs/, /Cost against GPUs/, /IsoFLOP/, /frontier/]],
    ['serving', 'v=1&task=serve&model=llama-3.1-70b&n=8', [/Throughput/, /user/]],
  ])
    test(`of ${task} are drawn and can be read as tables`, async ({ page }) => {
      await open(page, link);
      for (const name of names) {
        const figure = page.locator('figure.chart').filter({ has: page.getByRole('heading', { name }) });
        await expect(figure.locator('svg.plot path.line').first()).toHaveAttribute('d', /^M[\d.]+,[\d.]+L/);
        expect(await figure.locator('svg.plot').evaluate((s) => s.outerHTML)).not.toMatch(/NaN|undefined/);
        await expect(figure.locator('g.mark.here circle').first(), 'this scenario').toBeVisible();
        await figure.getByRole('button', { name: /table/i }).click();
        await expect(figure.locator('svg.plot')).toHaveCount(0);
        const rows = await figure.locator('tbody tr').allInnerTexts();
        expect(rows.length).toBeGreaterThan(8);
        for (const row of rows) expect(row).toMatch(/\d.*\d/s);
        await figure.getByRole('button', { name: /table/i }).click();
        await expect(figure.locator('svg.plot')).toBeVisible();
      }
    });

  test('the IsoFLOP curve has its minimum inside, marked', async ({ page }) => {
    await open(page);
    const figure = page.locator('figure[data-chart=isoflop]');
    await expect(figure.locator('g.mark.best circle')).toHaveCount(1);
    const [x, path] = await figure.evaluate((node) => [
      Number(node.querySelector('g.mark.best circle').getAttribute('cx')),
      node.querySelector('path.line').getAttribute('d'),
    ]);
    const points = [...path.matchAll(/([\d.]+),([\d.]+)/g)].map(([, a, b]) => [Number(a), Number(b)]);
    const lowest = points.reduce((a, b) => (b[1] > a[1] ? b : a)); // y grows downwards
    expect(Math.abs(lowest[0] - x)).toBeLessThan(2);
    expect(lowest).not.toBe(points[0]);
    expect(lowest).not.toBe(points.at(-1));
  });

  test('are read by arrow keys', async ({ page }) => {
    await open(page);
    const figure = page.locator('figure[data-chart=time]');
    await figure.locator('svg.plot').focus();
    await page.keyboard.press('ArrowRight');
    const first = await figure.locator('.read').innerText();
    expect(first).toMatch(/^GPUs \d/);
    await page.keyboard.press('ArrowRight');
    await expect(figure.locator('.read')).not.toHaveText(first);
  });

  test('follow an edit', async ({ page }) => {
    await open(page);
    const line = page.locator('figure[data-chart=time] path.line').first();
    const tick = page.locator('figure[data-chart=time] g.mark.here text');
    const before = [await line.getAttribute('d'), await tick.innerHTML()];
    await field(page, 'cluster.gpus').fill('64');
    await expect.poll(async () => (await tick.innerHTML()) !== before[1]).toBe(true);
  });
});

test.describe('the memory bar', () => {
  test('has the parts in proportion and a capacity line', async ({ page }) => {
    await open(page);
    const { steps } = await ask('estimate', kFirst);
    const value = (id) => steps.find((step) => step.id === id)?.value ?? 0;
    const parts = await page.locator('svg.bar rect.part').evaluateAll((all) =>
      all.map((rect) => [rect.classList[1], rect.getBoundingClientRect().width]),
    );
    expect(parts.length).toBeGreaterThan(2);
    const [capacity, whole] = await page.locator('svg.bar').evaluate((bar) => {
      const left = bar.getBoundingClientRect().left;
      const line = bar.querySelector('line.capacity').getBoundingClientRect();
      return [line.left + line.width / 2 - left, bar.getBoundingClientRect().width];
    });
    expect(capacity).toBeLessThan(whole);
    for (const [part, width] of parts) {
      const expected = (value(`layout.${part}`) / value('layout.capacity')) * capacity;
      expect(Math.abs(width - expected), part).toBeLessThan(1.5);
    }
  });

  test('says in words when it does not fit', async ({ page }) => {
    await open(page, 'v=1&d=2026-11&n=8&tp=8');
    await expect(page.locator('.memory')).toContainText('too much');
    await expect(page.locator('svg.bar rect.overflow')).toBeVisible();
    await expect(page.locator('.verdict')).toHaveClass(/bad/);
  });
});

test.describe('by itself', () => {
  test('the page works from a folder of a host, and on after the host is gone', async ({
    page,
    seen,
  }) => {
    seen.allow(/ERR_CONNECTION|NetworkError|Failed to load|could not/i);
    const host = await serve(kSite, { port: 8400, prefix: '/a/b/' });
    seen.origins.push(host.url);
    try {
      await page.goto(host.url);
      await live(page);
      await shows(page, kFirst);
      expect(seen.requests.filter((url) => !url.startsWith(host.url))).toEqual([]);
    } finally {
      await host.close();
    }
    await field(page, 'cluster.gpus').fill('2048');
    await shows(page, await patched(kFirst, { 'cluster.gpus': 2048 }));
    await page.getByRole('link', { name: 'Serve', exact: true }).click();
    await expect(headline(page)).toContainText(/Serving|Serve/i);
    await expect(page.locator('figure.chart svg').first()).toBeVisible();
    await numbers_of(page, 'cost.price').first().click();
    await expect(panel(page)).toBeVisible();
  });

  test('nothing is stored but a chosen theme', async ({ page, context }) => {
    await open(page);
    await field(page, 'cluster.gpus').fill('2048');
    await shows(page, await patched(kFirst, { 'cluster.gpus': 2048 }));
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
  });
});
