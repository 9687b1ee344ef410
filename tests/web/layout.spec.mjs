// SPDX-License-Identifier: MIT
// Shapes: narrow and wide screens, dark, paper.
import { ask, kinds } from './site.mjs';
import { drawn, expect, field, numbers_of, open, settled, shows, test } from './fixtures.mjs';

const kWidths = [320, 360, 768, 1280];

const overflow = (page) =>
  page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.querySelectorAll('body *')].filter(
      (e) => e.getBoundingClientRect().right > clientWidth + 1,
    );
    return [
      `${scrollWidth} in ${clientWidth}`,
      ...wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 100)),
    ];
  });

async function fits(page, what) {
  for (const width of kWidths) {
    await page.setViewportSize({ width, height: 740 });
    await expect.poll(() => overflow(page), `${what} at ${width} px`).toEqual([]);
  }
}

/** The mark at the left of the head and the button at its right are beside each other. */
async function head_is_one_line(page) {
  await page.setViewportSize({ width: 360, height: 740 });
  const middle = async (part) => {
    const { y, height } = await page.locator(`header ${part}`).boundingBox();
    return y + height / 2;
  };
  expect(Math.abs((await middle('.brand')) - (await middle('.theme')))).toBeLessThan(2);
}

test.describe('nothing scrolls sideways, and the head of a phone is one line', () => {
  for (const path of kinds().filter((path) => path !== ''))
    test(`on /${path}`, async ({ page }) => {
      await page.goto(path);
      await settled(page);
      await head_is_one_line(page);
      await page.locator('details').evaluateAll((all) => all.forEach((d) => (d.open = true)));
      await fits(page, path);
    });

  for (const [task, link] of [
    ['pretrain', ''],
    ['finetune', 'v=1&task=finetune&model=llama-3.1-8b&gpu=rtx-4090&n=1&method=qlora'],
    ['serve', 'v=1&task=serve&model=llama-3.1-70b&n=8'],
  ])
    test(`in the calculator: ${task}`, async ({ page }) => {
      await open(page, link);
      await drawn(page);
      await head_is_one_line(page);
      await fits(page, task);
      for (const button of await page.locator('figure.chart').getByRole('button').all())
        await button.click();
      await page.locator('details').evaluateAll((all) => all.forEach((d) => (d.open = true)));
      await expect(page.locator('details.step').first()).toBeVisible();
      await page.locator('details.step').evaluateAll((all) => all.forEach((d) => (d.open = true)));
      await expect(page.locator('.derivation').first()).toBeVisible({ timeout: 30_000 });
      await fits(page, `${task}, all open`);
    });

  test('with a mistake, a notice, a panel and a long word', async ({ page }) => {
    const word = 'x'.repeat(300);
    await open(page, `v=1&${word}=1&model=${word}&n=8`);
    await field(page, 'run.tokens').fill(word);
    await expect(field(page, 'run.tokens')).toHaveAttribute('aria-invalid', 'true');
    await fits(page, 'mistakes');
    await numbers_of(page, 'compute.train').first().click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await fits(page, 'the panel');
  });
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('the answer stays in sight while editing', async ({ page }) => {
    await open(page);
    const bar = page.locator('.foot-bar');
    await expect(bar).toBeInViewport({ ratio: 1 });
    await field(page, 'cluster.gpus').scrollIntoViewIfNeeded();
    await expect(bar).toBeInViewport({ ratio: 1 });
    const before = await bar.innerText();
    await field(page, 'cluster.gpus').fill('1024');
    await expect(bar).not.toHaveText(before);
    await expect(bar).toContainText('$');
    await field(page, 'cluster.gpus').fill('1.5');
    await expect(bar).toContainText('Waiting');
  });

  test('focus is never behind the bar', async ({ page }) => {
    await open(page);
    const hidden = [];
    for (let i = 0; i < 60; ++i) {
      await page.keyboard.press('Tab');
      const covered = await page.evaluate(() => {
        const focus = document.activeElement;
        const bar = document.querySelector('.foot-bar');
        if (focus === document.body || bar.contains(focus)) return '';
        const { top, bottom, height } = focus.getBoundingClientRect();
        if (height > innerHeight / 2) return '';
        const line = bar.getBoundingClientRect().top;
        return bottom > line + 1 || top < -1
          ? `${focus.outerHTML.slice(0, 80)} ${top} ${bottom} ${line}`
          : '';
      });
      if (covered) hidden.push(covered);
    }
    expect(hidden).toEqual([]);
  });

  test('targets are large enough for a finger', async ({ page }) => {
    await open(page);
    // WCAG 2.2, 2.5.8: 24 px, unless in a line of text. What has its label around it is pressed there.
    const small = await page
      .locator(
        'header button, header a, .foot-bar button, .share button, form input, form select, figcaption button',
      )
      .evaluateAll((all) =>
        all
          .map((e) => [e.outerHTML.slice(0, 60), (e.closest('label') ?? e).getBoundingClientRect()])
          .filter(([, { width, height }]) => width > 0 && (width < 24 || height < 24))
          .map(([html]) => html),
      );
    expect(small).toEqual([]);
    // Smaller text makes iOS zoom in on focus.
    const size = await field(page, 'run.tokens').evaluate((e) =>
      parseFloat(getComputedStyle(e).fontSize),
    );
    expect(size).toBeGreaterThanOrEqual(16);
  });

  test('the panel leaves a way out', async ({ page }) => {
    await open(page);
    await numbers_of(page, 'time.total').first().click();
    await expect(page.getByRole('dialog')).toBeInViewport();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await expect(page.getByRole('dialog')).toBeHidden();
  });
});

const ground = (page) =>
  page.evaluate(() => {
    const light = (color) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
      const context = canvas.getContext('2d');
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
      return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    };
    const style = getComputedStyle(document.documentElement);
    const text = getComputedStyle(document.querySelector('h1'));
    return { ground: light(style.backgroundColor), text: light(text.color) };
  });

test.describe('dark', () => {
  test('is chosen by the button and remembered on every page', async ({ page }) => {
    await open(page);
    const before = await ground(page);
    expect(before.ground).toBeGreaterThan(0.8);
    expect(before.text).toBeLessThan(0.3);
    await page.getByRole('button', { name: 'Light or dark' }).click();
    await expect.poll(async () => (await ground(page)).ground).toBeLessThan(0.2);
    expect((await ground(page)).text).toBeGreaterThan(0.7);
    for (const path of ['./', 'replays/', 'flops/']) {
      await page.goto(path);
      await expect.poll(async () => (await ground(page)).ground, path).toBeLessThan(0.2);
      await settled(page);
    }
    await page.getByRole('button', { name: 'Light or dark' }).click();
    await expect.poll(async () => (await ground(page)).ground).toBeGreaterThan(0.8);
  });

  test.describe('by the system', () => {
    test.use({ colorScheme: 'dark' });
    test('is followed before any script @system', async ({ page, seen }) => {
      seen.allow(/Failed to load|ERR_FAILED|NetworkError|Loading failed|imported module/);
      await page.route(/\.js$/, (route) => route.abort());
      await page.goto('./');
      const { ground: back, text } = await ground(page);
      expect(back).toBeLessThan(0.2);
      expect(text).toBeGreaterThan(0.7);
    });
  });
});

test('on paper the work is written out and the tools are gone', async ({ page, browserName }) => {
  const { steps } = await ask('estimate', (await ask('schema')).examples[0].link);
  await open(page);
  await drawn(page);
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  await expect(page.locator('.work .derivation')).toHaveCount(steps.length);
  if (browserName === 'chromium') {
    await page.emulateMedia({ media: 'print' });
    for (const name of ['.foot-bar', '.share', '.tabs', '.theme'])
      await expect(page.locator(name)).toBeHidden();
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.locator('figure.chart svg').first()).toBeVisible();
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length).toBeGreaterThan(2);
    await page.emulateMedia({ media: null });
  }
  await page.evaluate(() => dispatchEvent(new Event('afterprint')));
  await expect(page.locator('.work .derivation')).toHaveCount(0);
  await shows(page, (await ask('schema')).examples[0].link);
});
