// Pictures of the chat in both schemes, beside the video and on a phone; kept as artefacts, and checked for overflow.
import { expect, open, test } from '../support/fixtures.ts';
import { chat, enter, field, makeRoom, message, rename, sayAndSee, use, visitor } from '../support/chat.ts';
import { ARTEFACTS } from '../support/paths.ts';
import path from 'node:path';

const SIZES = [
  { name: 'desktop', viewport: { width: 1440, height: 860 }, isMobile: false },
  { name: 'tablet', viewport: { width: 900, height: 1100 }, isMobile: false },
  { name: 'phone', viewport: { width: 390, height: 844 }, isMobile: true },
];

for (const { name, viewport, isMobile } of SIZES) {
  for (const scheme of ['dark', 'light'] as const) {
    test(`the chat, ${name}, ${scheme}`, async ({ browser, server, watched }) => {
      test.setTimeout(90_000);
      const look = { viewport, isMobile, hasTouch: isMobile, colorScheme: scheme } as const;
      const page = await (await watched(await browser.newContext({ colorScheme: scheme }))).newPage();
      const url = await makeRoom(page, server, 'evening', '도현');
      await enter(page, url);
      const viewer = await (await watched(await browser.newContext(look))).newPage();
      await enter(viewer, url);
      await rename(viewer, 'Ana');
      const third = await visitor(browser, watched, url);
      await rename(third, 'lowpoly');
      await sayAndSee(third, 'the extended timestamp one got me last year 😅');
      await sayAndSee(page, 'RTMP 청크 파서부터! we start at the chunk reader https://example.org/rtmp');
      await sayAndSee(viewer, 'which lock did you pick for the ring?');
      await use(page, 'which lock', 'reply');
      await sayAndSee(page, '@Ana one writer, many readers, so RwLock');
      await sayAndSee(third, 'something to be deleted');
      await use(page, 'to be deleted', 'delete');
      await field(page).fill('/slow 5');
      await field(page).press('Enter');
      await expect(chat(viewer).locator('.chat-modes')).toHaveText('slow 5 s');
      await expect(message(viewer, 'one writer')).toHaveClass(/\bme\b/);
      const shoot = async (on: typeof page, what: string) => {
        await on.waitForTimeout(300);
        await on.screenshot({ path: path.join(ARTEFACTS, `chat-${what}-${name}-${scheme}.png`) });
        const wider = await on.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(wider, `${what} is wider than the window`).toBeLessThanOrEqual(0);
      };
      await shoot(viewer, 'watch');
      await message(viewer, 'one writer').hover();
      await shoot(viewer, 'tools');
      await page.setViewportSize(viewport);
      await open(page, `${url}/moderation`);
      await shoot(page, 'moderation');
      await open(page, `${url}/studio`);
      await shoot(page, 'studio');

      // Names can be read: 4.5:1 at least.
      const contrasts = await chat(viewer).locator('.msg b').evaluateAll((names) => {
        const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
        const rgb = (colour: string): number[] => {
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        };
        const light = (colour: number[]): number => {
          const [r, g, b] = colour.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
        };
        const panel = light(rgb(getComputedStyle(document.querySelector('.chat')!).backgroundColor));
        return names.map((name) => {
          // Every hue, not only those that happen to be here.
          return Math.min(...Array.from({ length: 12 }, (_, hue) => {
            (name as HTMLElement).className = `hue-${hue}`;
            const own = light(rgb(getComputedStyle(name).color));
            return (Math.max(own, panel) + 0.05) / (Math.min(own, panel) + 0.05);
          }));
        });
      });
      expect(Math.min(...contrasts)).toBeGreaterThanOrEqual(4.5);
    });
  }
}
