// Tracks that come and go within one broadcast.
import { expect, open, test } from '../support/fixtures.ts';
import { clip } from '../support/paths.ts';
import { fileEncoder } from '../support/rtmp.ts';
import { expectMore, expectMoving, expectScene, player } from '../support/ui.ts';

const [SOUND, PICTURE] = [8, 9];

for (const first of [[PICTURE], [SOUND], [SOUND, PICTURE]]) {
  test(`it begins with ${first.map((type) => (type === SOUND ? 'sound' : 'picture')).join(' and ')}`, async ({ page, server }) => {
    const encoder = fileEncoder(server.rtmp, await server.createRoom('tracks'), clip('baseline'), first);
    try {
      let asked = 0;
      page.on('request', (request) => (asked += request.url().includes('.flv') ? 1 : 0));
      await open(page, `${server.url}/rooms/tracks`);
      if (first.includes(PICTURE)) await expectMore(page, 'frames', 50, 30_000);
      else await expectMore(page, 'audioBytes', 5_000, 30_000);
      const cover = player(page).locator('.player-cover');
      await expect(cover).toHaveCount(first.includes(PICTURE) ? 0 : 1);

      encoder.next(clip('baseline'), [SOUND, PICTURE]);
      await expectMoving(page, 30_000);
      await expect(cover).toHaveCount(0);

      encoder.next(clip('baseline'), [SOUND]);
      await expect(cover, 'the picture has ended').toHaveCount(1, { timeout: 30_000 });
      await expectMore(page, 'audioBytes', 5_000, 30_000);

      encoder.next(clip('baseline'), [PICTURE]);
      await expect(cover).toHaveCount(0, { timeout: 30_000 });
      await expectMore(page, 'frames', 50, 30_000);
      await expectScene(page, 'playing');
      expect(asked, 'requests for the stream').toBe(1);
    } finally {
      encoder.destroy();
    }
  });
}
