// Bytes meant to break the RTMP side, while somebody watches another room: the process lives, the picture goes on, memory comes back.
import { expect, open, test } from '../support/fixtures.ts';
import { message, number, text } from '../support/rtmp.ts';
import { expectMoving, expectScene } from '../support/ui.ts';
import net from 'node:net';
import { randomBytes } from 'node:crypto';

/** `depth` objects, one inside the other. */
const nested = (depth: number): Buffer => Buffer.concat(Array.from({ length: depth }, () => Buffer.from([3, 0, 1, 0x61])));

const connect = (object: Buffer): Buffer => message(20, Buffer.concat([text('connect'), number(1), object]));

const plainConnect = connect(Buffer.concat([Buffer.from([3, 0, 3]), Buffer.from('app'), text('live'), Buffer.from([0, 0, 9])]));

/** Two messages whose chunks take turns; legal. */
function interleaved(): Buffer {
  const one = message(20, Buffer.concat([text('createStream'), number(2), Buffer.alloc(200, 5)]), 4);
  const two = message(20, Buffer.concat([text('FCPublish'), number(3), Buffer.from([5]), text('x'.repeat(180))]), 5);
  return Buffer.concat([one.subarray(0, 140), two.subarray(0, 140), one.subarray(140), two.subarray(140)]);
}

const ATTACKS: Record<string, Buffer[]> = {
  'AMF0 nested ten thousand deep': [connect(nested(10_000))],
  '@setDataFrame with nothing behind it': [plainConnect, message(18, text('@setDataFrame'), 4, 1)],
  'interleaved chunk streams': [plainConnect, interleaved()],
  'AMF0 dates, long strings and typed objects': [
    plainConnect,
    message(18, Buffer.concat([text('onMetaData'), Buffer.from([0x0b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c, 0, 0, 0, 3, 97, 98, 99, 0x10, 0, 1, 97, 0, 0, 9])]), 4, 1),
  ],
  'a message of sixteen megabytes that never ends': [plainConnect, Buffer.concat([Buffer.from([6, 0, 0, 0, 0xff, 0xff, 0xff, 9, 1, 0, 0, 0]), Buffer.alloc(100)])],
  'a chunk size of zero': [message(2 - 1, Buffer.from([0, 0, 0, 0]), 2), plainConnect],
  'a chunk size of two gigabytes': [message(1, Buffer.from([0x7f, 0xff, 0xff, 0xff]), 2), plainConnect],
  'a short chunk header with nothing before it': [Buffer.from([0xc5, 1, 2, 3, 0x85, 4, 5, 6])],
  'media from someone who never connected': [message(9, Buffer.alloc(5_000, 0x17), 6, 1)],
  'noise': [randomBytes(200_000)],
};

/** Handshakes without looking at the answer, sends, and waits for the server to close or half a second. */
async function attack(port: number, parts: Buffer[], handshake: boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      if (handshake) socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1536), Buffer.alloc(1536)]));
      for (const part of parts) socket.write(part);
    });
    const done = () => {
      socket.destroy();
      resolve();
    };
    socket.on('error', done).on('close', done).resume();
    setTimeout(done, 500);
  });
}

test('hostile bytes end nothing but their own connection', async ({ page, server, publish }) => {
  const key = await server.createRoom('calm');
  publish(key);
  await open(page, `${server.url}/rooms/calm`);
  await expectMoving(page);
  const port = Number(new URL(server.rtmp.replace('rtmp', 'http')).port);
  // The longest time between two shown frames, from here on.
  await page.locator('video').evaluate((element) => {
    const video = element as HTMLVideoElement;
    const seen = window as unknown as { longestGap: number };
    let last = performance.now();
    seen.longestGap = 0;
    const frame = () => {
      seen.longestGap = Math.max(seen.longestGap, performance.now() - last);
      last = performance.now();
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  });

  const before = server.residentMb;
  for (const [name, parts] of Object.entries(ATTACKS)) {
    await test.step(name, async () => {
      await attack(port, parts, true);
      await attack(port, parts, false);
      expect(server.isRunning, `the server is alive after ${name}`).toBe(true);
    });
  }
  // Many at once, held open.
  await Promise.all(Array.from({ length: 24 }, () => attack(port, [connect(nested(12_000)), randomBytes(64 * 1024)], true)));

  await expectMoving(page);
  await expectScene(page, 'playing');
  const gap = await page.evaluate(() => (window as unknown as { longestGap: number }).longestGap);
  test.info().annotations.push({ type: 'measured', description: `longest gap between frames ${Math.round(gap)} ms` });
  expect(gap, 'longest gap between two frames meanwhile, ms').toBeLessThan(3_000);
  await expect.poll(() => server.residentMb - before, { message: 'memory is given back, MB', timeout: 30_000 }).toBeLessThan(10);
  expect((await server.room('calm')).live.state).toBe('live');
});
