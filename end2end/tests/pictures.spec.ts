// A picture of each page as people see it: two sizes, two schemes. Kept as artefacts; checked for overflow.
import { expect, open, test } from '../support/fixtures.ts';
import { ARTEFACTS } from '../support/paths.ts';
import { SIZES, createButton, expectMoving, fillRoomForm, shownKey } from '../support/ui.ts';
import path from 'node:path';

for (const { name, viewport, isMobile } of SIZES) {
  for (const scheme of ['dark', 'light'] as const) {
    test.describe(`${name}, ${scheme}`, () => {
      test.use({ viewport, isMobile, hasTouch: isMobile, colorScheme: scheme });

      test('every page fits its window', async ({ page, server, publish, complaints }) => {
        test.setTimeout(120_000);
        complaints.allow(/status of 40[34]/);
        const shoot = async (what: string) => {
          await page.waitForTimeout(300);
          await page.screenshot({ path: path.join(ARTEFACTS, `${what}-${name}-${scheme}.png`) });
          const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(wider, `${what} is wider than the window by this many pixels`).toBeLessThanOrEqual(0);
        };
        await open(page, server.url);
        await shoot('directory-empty');

        const key = await server.createRoom('evening-sea', '저녁 바다, 그리고 a very long title that has to be cut somewhere sensible', ['--tags', 'sea,slow,자연']);
        await server.createRoom('quiet-room', 'Not live yet');
        publish(key);
        await expect.poll(async () => (await server.room('evening-sea')).live.state).toBe('live');
        await open(page, server.url);
        await expect(page.locator('article.card')).toHaveCount(2);
        await shoot('directory');

        await open(page, `${server.url}/rooms/evening-sea`);
        await expectMoving(page);
        await shoot('watch-live');
        await open(page, `${server.url}/rooms/quiet-room`);
        await shoot('watch-never');

        await open(page, `${server.url}/rooms/new`);
        await shoot('new-room');
        await fillRoomForm(page, { owner_name: 'Mina', title: 'Pottery, live from the wheel', slug: 'pottery', category: 'craft', language: 'en' });
        await createButton(page).click();
        const { key: potteryKey } = await shownKey(page);
        await shoot('new-room-result');
        await page.getByRole('link', { name: 'Open the studio' }).click();
        await expect(page).toHaveURL(/\/studio$/);
        await shoot('studio');
        // An encoder with a wrong key is told of at once; a right one's stream is judged.
        publish(`${potteryKey}x`);
        await expect(page.locator('.studio-attempts li')).toContainText('is no key of this server');
        publish(potteryKey);
        await expectMoving(page);
        await expect(page.locator('.studio-health')).toContainText(/fps · key frame every/);
        await shoot('studio-live');

        await page.goto(`${server.url}/no/such/page`);
        await shoot('not-found');
      });
    });
  }
}
