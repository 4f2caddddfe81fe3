// The Chromium that is measured with: CHROMIUM, or Debian's, by end2end's Playwright.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';

/** For end2end's packages. */
export const require = createRequire(new URL('../end2end/package.json', import.meta.url));
const { chromium } = require('@playwright/test');

/** Starts it. It does nothing of its own beside: nothing is updated, synced or looked up. */
export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM || ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync),
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--enable-precise-memory-info',
  ],
});
