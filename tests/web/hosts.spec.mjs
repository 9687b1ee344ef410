// SPDX-License-Identifier: MIT
// The cases of hosts/cases.mjs in Chromium and Firefox, and what only these two can be asked.
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test as base } from './fixtures.mjs';
import { embed, kCases, live, shows } from './hosts/cases.mjs';
import { start_hosts } from './hosts.mjs';

const test = base.extend({
  hosts: [
    async ({}, use) => {
      const hosts = await start_hosts();
      await use(hosts);
      await hosts.close();
    },
    { scope: 'worker' },
  ],
  /** Drives the page for the cases. */
  tool: async ({ page, seen, hosts }, use) => {
    seen.origins.push(hosts.site, new URL(hosts.url('')).origin, 'file:///', 'http://127.0.0.1');
    // As text: a policy of the page does not reach it.
    const run = (where, f, ...args) =>
      where.evaluate(`(${f})(...${JSON.stringify(args).replaceAll('\u2028', '\\u2028')})`);
    const tool = {
      page,
      async open(url) {
        await page.clock.install();
        await page.goto(url);
      },
      js: (f, ...args) => run(page, f, ...args),
      frame: (id = 'demo') => ({
        async js(f, ...args) {
          const found = page.locator(`iframe#${id}, #${id} iframe`);
          const frame = await (await found.elementHandle({ timeout: 5000 })).contentFrame();
          return run(frame, f, ...args);
        },
      }),
      click: (selector) => page.click(selector),
      pause: sleep,
      patience: async () => {
        await page.waitForTimeout(300);
        await page.clock.fastForward(9000);
      },
      async until(what, probe, expected) {
        const good = (found) =>
          typeof expected === 'function'
            ? expected(found)
            : JSON.stringify(found) === JSON.stringify(expected);
        const look = async () => {
          try {
            const found = await probe();
            return good(found) ? 'as expected' : JSON.stringify(found).slice(0, 400);
          } catch (error) {
            return String(error); // of a frame that is just being replaced
          }
        };
        const options = { message: what, intervals: [30, 60, 120, 250] };
        await expect.poll(look, options).toBe('as expected');
      },
    };
    await use(tool);
  },
});

for (const [name, check, { allow = [] } = {}] of kCases)
  test(name, async ({ tool, hosts, seen }) => {
    seen.allow(...allow);
    await check(tool, hosts);
  });
