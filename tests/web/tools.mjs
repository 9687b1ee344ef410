// SPDX-License-Identifier: MIT
// The packages that the browser suites use lie with the page's, so that one lock file pins them all.
import { createRequire } from 'node:module';
import { cpus, loadavg } from 'node:os';

const require = createRequire(new URL('../../web/package.json', import.meta.url));

export const { chromium, defineConfig, expect, test: playwright } = require('@playwright/test');
export const { AxeBuilder } = require('@axe-core/playwright');
export const { default: jsQR } = require('jsqr');
export const kPlaywright = require.resolve('@playwright/test/cli');
export const kLighthouse = require.resolve('lighthouse/cli/index.js');

export const kChromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const kFirefox = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

/** How much longer than alone something may take: other tests, and their browsers, want the cores too. */
export const slack = () => 1.5 * Math.max(1, loadavg()[0] / cpus().length);
