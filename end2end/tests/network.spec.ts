// A viewer's network fails and comes back: the last picture stays, it is said what is wrong, and nothing has to be reloaded.
import { expect, open, test } from '../support/fixtures.ts';
import { Wire } from '../support/cut.ts';
import { expectFrames, expectMoving, expectScene, expectWay, player } from '../support/ui.ts';
import type { Page } from '@playwright/test';

/** Whether the picture's place shows something else than one colour. */
const hasPicture = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    const shown = document.querySelector<HTMLVideoElement | HTMLCanvasElement>('.player-held') ?? document.querySelector('video')!;
    const canvas = new OffscreenCanvas(64, 36);
    const context = canvas.getContext('2d')!;
    context.drawImage(shown, 0, 0, 64, 36);
    return new Set(new Uint32Array(context.getImageData(0, 0, 64, 36).data.buffer)).size > 20;
  });

for (const delay of ['balanced', 'lowest']) {
  test(`a network that is gone and comes back, ${delay}`, async ({ page, server, publish, complaints }) => {
    // Parts of the program may be on their way, too.
    complaints.allow(/net::ERR_|WebSocket|Failed to fetch/);
    publish(await server.createRoom('cut-off'));
    const wire = await Wire.to(server.url);
    try {
      await open(page, `${wire.url}/rooms/cut-off?delay=${delay}`);
      await expectScene(page, 'playing');
      await expectWay(page, delay === 'lowest' ? 'WebCodecs' : 'MediaSource');
      await expect.poll(() => hasPicture(page)).toBe(true);
      await page.evaluate(() => ((window as unknown as { same: boolean }).same = true));
      wire.refuse();
      await expectScene(page, 'reconnecting');
      await expect(player(page).getByRole('status')).toContainText('Reconnecting');
      expect(await hasPicture(page), 'the last picture stays').toBe(true);
      wire.mend();
      await expectScene(page, 'playing', 40_000);
      await expectFrames(page);
      expect(await page.evaluate(() => 'same' in window), 'the same page').toBe(true);
      await expect(player(page).locator('.player-edge')).toHaveClass(/\bat\b/);
    } finally {
      complaints.close();
      wire.close();
    }
  });
}

// Longer than a connection that is silent is waited for.
test('a network that is dead for a while, and tells nobody', async ({ page, server, publish, complaints }) => {
  complaints.allow(/net::ERR_|WebSocket|Failed to fetch/);
  publish(await server.createRoom('dead-line'));
  const wire = await Wire.to(server.url);
  try {
    await open(page, `${wire.url}/rooms/dead-line`);
    await expectMoving(page);
    await page.evaluate(() => {
      const seen: string[] = ((window as unknown as { seen: string[] }).seen = []);
      const stage = document.querySelector<HTMLElement>('.player')!;
      new MutationObserver(() => seen.at(-1) !== stage.dataset.scene && seen.push(stage.dataset.scene!)).observe(stage, { attributes: true });
    });
    wire.cut();
    await expectScene(page, 'reconnecting', 30_000);
    await expect(player(page).getByRole('status')).toContainText('Attempt 2', { timeout: 40_000 });
    wire.mend();
    await expectScene(page, 'playing', 40_000);
    await expectMoving(page);
    // Whoever hears the page is told each change once; what comes after that is of a machine that is busy.
    expect(await page.evaluate(() => (window as unknown as { seen: string[] }).seen.slice(0, 3))).toEqual(['buffering', 'reconnecting', 'playing']);
  } finally {
    complaints.close();
    wire.close();
  }
});

test('a network that holds everything back for seconds', async ({ page, server, publish, complaints }) => {
  publish(await server.createRoom('held-back'));
  const wire = await Wire.to(server.url);
  try {
    let asked = 0;
    page.on('request', (request) => (asked += request.url().includes('.flv') ? 1 : 0));
    await open(page, `${wire.url}/rooms/held-back`);
    await expectMoving(page);
    wire.hold();
    await expectScene(page, 'buffering');
    expect(await hasPicture(page), 'the last picture stays').toBe(true);
    wire.mend();
    await expectScene(page, 'playing');
    await expectMoving(page);
    await expect(player(page).locator('.player-edge'), 'it is live again').toHaveClass(/\bat\b/, { timeout: 40_000 });
    expect(asked, 'requests for the stream').toBe(1);
  } finally {
    complaints.close();
    wire.close();
  }
});
