// Administration in a browser: the pages as they look, the kill switch, a ban, an invitation; and that none of it is a script.
import { expect, open, test } from '../support/fixtures.ts';
import { ARTEFACTS, serverBinary } from '../support/paths.ts';
import type { Server } from '../support/server.ts';
import { SIZES, expectMoving, field } from '../support/ui.ts';
import type { Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const PASSWORD = 'quiet river stone';

const account = (server: Server, name: string, ...more: string[]): string =>
  execFileSync(serverBinary(), ['account', 'create', '--name', name, '--password-stdin', ...more, '--data', server.data], {
    input: PASSWORD,
    encoding: 'utf8',
  });

async function logIn(page: Page, url: string, name: string): Promise<void> {
  await open(page, `${url}/login`);
  await field(page, 'name').fill(name);
  await field(page, 'password').fill(PASSWORD);
  await page.locator('main [type="submit"]').click();
  await expect(page.locator('.me')).toContainText(name);
}

for (const { name, viewport, isMobile } of SIZES) {
  for (const scheme of ['dark', 'light'] as const) {
    test.describe(`${name}, ${scheme}`, () => {
      test.use({ viewport, isMobile, hasTouch: isMobile, colorScheme: scheme });

      test('an administrator looks after the site', async ({ page, browser, server, publish, watched }) => {
        test.setTimeout(120_000);
        account(server, 'Boss', '--admin');
        account(server, '도현');
        const key = await server.createRoom('evening-sea', '저녁 바다, 그리고 a very long title that has to be cut somewhere sensible');
        await server.createRoom('quiet-room', 'Not live yet');
        publish(key);
        await expect.poll(async () => (await server.room('evening-sea')).live.state).toBe('live');
        const viewer = await (await watched(await browser.newContext())).newPage();
        await open(viewer, `${server.url}/rooms/evening-sea`);
        await expectMoving(viewer);

        await logIn(page, server.url, 'Boss');
        const downloaded: string[] = [];
        const shoot = async (what: string) => {
          await page.screenshot({ path: path.join(ARTEFACTS, `admin-${what}-${name}-${scheme}.png`) });
          const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(wider, `${what} is wider than the window by this many pixels`).toBeLessThanOrEqual(0);
        };
        await open(page, `${server.url}/account`);
        page.on('request', (request) => downloaded.push(new URL(request.url()).pathname));
        await page.getByRole('link', { name: 'Administer the site' }).click();
        await expect(page.locator('.studio-keys')).toContainText('127.0.0.1');
        await shoot('live');

        const menu = page.locator('.admin-menu').first();
        await menu.getByRole('link', { name: 'Registration' }).click();
        await page.locator('form:has([value="registration"]) [value="invite"]').check();
        await page.locator('form:has([value="registration"]) button').click();
        await expect(page.locator('.form-note')).toHaveText('Done.');
        await page.getByRole('button', { name: 'Make an invitation' }).click();
        await expect(page.locator('#shown-once')).toContainText('/register?invite=');
        await shoot('registration');

        await menu.getByRole('link', { name: 'People' }).click();
        await page.locator('#admin-search').fill('도');
        await page.getByRole('button', { name: 'Search' }).last().click();
        await expect(page.locator('.studio-keys li')).toHaveCount(1);
        await shoot('people');
        await page.locator('.studio-keys a').click();
        await shoot('person');
        await page.locator('[name="reason"]').first().fill('spam');
        await page.getByRole('button', { name: 'Ban', exact: true }).click();
        await expect(page.locator('.studio-keys').first()).toContainText('spam');
        await menu.getByRole('link', { name: 'Bans' }).click();
        await expect(page.locator('.studio-keys')).toContainText('도현');
        await shoot('bans');
        await menu.getByRole('link', { name: 'Rooms' }).click();
        await expect(page.locator('.studio-keys li')).toHaveCount(2);
        await page.getByText('Delete the room').first().click();
        await shoot('rooms');
        await menu.getByRole('link', { name: 'Limits' }).click();
        await shoot('limits');

        await menu.getByRole('link', { name: 'On the air' }).click();
        await page.getByRole('button', { name: 'End' }).click();
        await expect(page.getByText('Nobody is on the air.')).toBeVisible();
        await expect.poll(async () => (await server.room('evening-sea')).live.state).toBe('offline');
        await menu.getByRole('link', { name: 'Log' }).click();
        await expect(page.locator('.moderation-log li').first()).toContainText('Boss ended the stream of evening-sea');
        await shoot('log');
        expect(downloaded.filter((file) => /\.(js|wasm)$/.test(file)), 'no script is downloaded').toEqual([]);
      });
    });
  }
}
