// SPDX-License-Identifier: MIT
// Run by run.mjs, which serves the site and names its address.
import { join } from 'node:path';
import { defineConfig, kChromium, kFirefox } from './tools.mjs';
import { kReports } from './site.mjs';

const firefox = {
  browserName: 'firefox',
  channel: 'moz-firefox', // WebDriver BiDi: Debian's own build
  // emulateMedia has no effect there; the preference has.
};
const launch = (prefs) => ({ executablePath: kFirefox, firefoxUserPrefs: prefs });

export default defineConfig({
  testDir: import.meta.dirname,
  testMatch: '*.spec.mjs',
  outputDir: join(kReports, 'playwright'),
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  retries: 1, // a busy machine may delay a browser once; run.mjs names what needed it
  forbidOnly: true,
  reporter: [['list'], ['json', { outputFile: join(kReports, 'playwright.json') }]],
  use: { baseURL: process.env.ENVELOPE_URL, viewport: { width: 1280, height: 800 } },
  projects: [
    {
      name: 'chromium',
      use: { browserName: 'chromium', launchOptions: { executablePath: kChromium } },
    },
    { name: 'firefox', grepInvert: /@system/, use: { ...firefox, launchOptions: launch({}) } },
    {
      name: 'firefox-dark',
      grep: /@system/,
      use: {
        ...firefox,
        launchOptions: launch({
          'ui.systemUsesDarkTheme': 1,
          'layout.css.prefers-color-scheme.content-override': 0,
        }),
      },
    },
  ],
});
