// The one test that needs OBS itself; `obs.sh` runs it where OBS is installed.
import base from './playwright.config.ts';
import { defineConfig } from '@playwright/test';

export default defineConfig(base, { testDir: 'obs', reporter: [['list']], timeout: 180_000 });
