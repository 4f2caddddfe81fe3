// What keeps a picture from being shown, in words, and what helps.
import { expect, open, test } from '../support/fixtures.ts';
import { clip } from '../support/paths.ts';
import { fileEncoder } from '../support/rtmp.ts';
import { expectMoving, expectScene, played, player, withoutHevc } from '../support/ui.ts';

test('a browser without MediaSource is told what to do', async ({ page, server, publish }) => {
  await page.addInitScript(() => {
    for (const name of ['MediaSource', 'ManagedMediaSource']) Reflect.deleteProperty(window, name);
  });
  publish(await server.createRoom('too-old'));
  await open(page, `${server.url}/rooms/too-old`);
  await expectScene(page, 'too-old');
  await expect(player(page).getByRole('status')).toContainText('Your browser is too old for the player');
  await expect(player(page).getByRole('status')).toContainText('Update it');
  await expect(page.getByRole('button', { name: 'Try again' })).toBeHidden();
});

test('a decoder that fails again and again is given up, and may be tried again', async ({ page, server, publish }) => {
  await page.addInitScript(() => {
    const append = SourceBuffer.prototype.appendBuffer;
    let taken = 0;
    SourceBuffer.prototype.appendBuffer = function (data) {
      taken += 1;
      if (taken > 20 && document.documentElement.dataset.mended === undefined) throw new DOMException('broken for a test', 'InvalidStateError');
      append.call(this, data);
    };
  });
  publish(await server.createRoom('broken'));
  await open(page, `${server.url}/rooms/broken`);
  await expectScene(page, 'broken', 40_000);
  await expect(player(page).getByRole('status')).toContainText('The picture stopped');
  await page.evaluate(() => (document.documentElement.dataset.mended = ''));
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectScene(page, 'playing');
  await expectMoving(page);
});

test('a buffer that is full is tried again, and the picture goes on', async ({ page, server, publish }) => {
  await page.addInitScript(() => {
    const append = SourceBuffer.prototype.appendBuffer;
    let taken = 0;
    SourceBuffer.prototype.appendBuffer = function (data) {
      taken += 1;
      if (taken === 60 || taken === 61) {
        document.documentElement.dataset.refused = '';
        throw new DOMException('full for a test', 'QuotaExceededError');
      }
      append.call(this, data);
    };
  });
  publish(await server.createRoom('full'));
  await open(page, `${server.url}/rooms/full`);
  await expectScene(page, 'playing');
  const source = await page.locator('video').first().getAttribute('src');
  await page.waitForFunction(() => document.documentElement.dataset.refused === '');
  await expectMoving(page);
  expect(await page.locator('video').first().getAttribute('src'), 'by the same media source').toBe(source);
});

test('where a browser begins nothing by itself, one tap does', async ({ page, server, publish }) => {
  await page.addInitScript(() => {
    let tapped = false;
    addEventListener('pointerdown', () => (tapped = true), true);
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      return tapped ? play.call(this) : Promise.reject(new DOMException('refused for a test', 'NotAllowedError'));
    };
  });
  publish(await server.createRoom('asleep'));
  await open(page, `${server.url}/rooms/asleep`);
  const ask = page.getByRole('button', { name: 'Tap to play' });
  await ask.click();
  await expect(ask).toBeHidden();
  await expectMoving(page);
  expect((await played(page)).muted).toBe(false);
});

test('a room that is deleted is gone under its viewers', async ({ page, server, publish, complaints }) => {
  complaints.allow(/status of 404/);
  publish(await server.createRoom('deleted'));
  await open(page, `${server.url}/rooms/deleted`);
  await expectMoving(page);
  await server.deleteRoom('deleted');
  await expectScene(page, 'not-found', 30_000);
  await expect(player(page).getByRole('status')).toContainText('This room does not exist');
});

test('a codec that does not play is of its stream: the next one is played', async ({ page, server, publish }) => {
  await withoutHevc(page);
  const key = await server.createRoom('another-codec');
  const encoder = fileEncoder(server.rtmp, key, clip('hevc_flac'), [8, 9, 18]);
  try {
    await open(page, `${server.url}/rooms/another-codec`);
    await expectScene(page, 'codec');
  } finally {
    encoder.destroy();
  }
  await expectScene(page, 'offline', 30_000);
  await expect(page.getByRole('button', { name: 'Try again' })).toBeHidden();
  publish(key);
  await expectScene(page, 'playing', 30_000);
  await expectMoving(page);
});
