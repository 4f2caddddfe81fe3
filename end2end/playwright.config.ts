// Browser tests against the release binary, with ffmpeg as the encoder. Each test has a server of its own on free ports.
// `cargo xtask e2e` runs them; `npx playwright test` in this folder does too, once `cargo xtask build` has left a binary.
import { defineConfig, type ReporterDescription } from '@playwright/test';
import { existsSync } from 'node:fs';

/** Debian's names first; another browser is named by CHROMIUM. */
const executablePath =
  process.env.CHROMIUM || ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** Quiet, and the same on every machine. */
export const BROWSER_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const reporter: ReporterDescription[] = [['list'], ['json', { outputFile: 'artefacts/results.json' }]];

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  globalSetup: './support/global-setup.ts',
  // Two cores carry the server, the encoder and the browser: one test at a time.
  workers: 1,
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  // A test that passes at the second try hides what a viewer meets at the first.
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter,
  use: {
    browserName: 'chromium',
    locale: 'en-US',
    viewport: { width: 1440, height: 900 },
    launchOptions: { executablePath, args: [...BROWSER_ARGS, '--autoplay-policy=no-user-gesture-required'] },
    screenshot: 'only-on-failure',
    trace: 'off',
  },
});
