// The stream key appears in one answer, the one that makes it: not in any other answer, address, frame, console line, log or file.
import { awake, expect, open, test } from '../support/fixtures.ts';
import { createButton, expectMoving, fillRoomForm, shownKey } from '../support/ui.ts';
import type { BrowserContext } from '@playwright/test';

/** Everything that crossed between browser and server, as text. */
class Traffic {
  readonly bodies: { from: string; text: string }[] = [];
  readonly texts: { from: string; text: string }[] = [];
  #pending: Promise<unknown>[] = [];

  watch(context: BrowserContext): void {
    context.on('response', (response) => {
      const from = `${response.request().method()} ${response.url()}`;
      this.texts.push({ from: 'an address', text: response.url() });
      this.texts.push({ from: `headers of ${from}`, text: JSON.stringify([response.headers(), response.request().headers()]) });
      // A stream has no end to wait for; it is read apart.
      if (new URL(response.url()).pathname.endsWith('.flv')) return;
      const body = response.body().then((bytes) => this.bodies.push({ from, text: bytes.toString('latin1') }));
      this.#pending.push(body.catch(() => undefined));
    });
    context.on('console', (message) => this.texts.push({ from: 'the console', text: message.text() }));
    context.on('page', (page) => {
      page.on('framenavigated', (frame) => this.texts.push({ from: 'an address', text: frame.url() }));
      page.on('websocket', (socket) => {
        const keep = (way: string) => (frame: { payload: string | Buffer }) =>
          this.texts.push({ from: `a frame ${way}`, text: frame.payload.toString() });
        socket.on('framesent', keep('to the server'));
        socket.on('framereceived', keep('from the server'));
      });
    });
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  bodiesWith(secret: string): string[] {
    return this.bodies.filter(({ text }) => text.includes(secret)).map(({ from }) => from);
  }

  placesOf(secret: string): string[] {
    return this.texts.filter(({ text }) => text.includes(secret)).map(({ from }) => from);
  }
}

test('a key is nowhere but in the answer that made it', async ({ browser, watched, server, publish }) => {
  const traffic = new Traffic();
  const context = await watched(await browser.newContext({ locale: 'en-US' }));
  traffic.watch(context);
  const page = await context.newPage();

  await open(page, `${server.url}/rooms/new`);
  await fillRoomForm(page, { owner_name: 'Mina', title: 'Secret garden', slug: 'secret-garden', category: 'talk', language: 'en' });
  await createButton(page).click();
  const { key: first } = await shownKey(page);
  const titleWithKey = await page.title();

  // Publish, watch, and go through every page there is, with the key in force and in use.
  publish(first);
  await page.getByRole('link', { name: 'Open the studio' }).click();
  await expect(page.locator('main')).toContainText(/LIVE \d/);
  const viewer = await context.newPage();
  await open(viewer, `${server.url}/rooms/secret-garden`);
  await expectMoving(viewer);
  await open(viewer, server.url);
  await expect(viewer.locator('article.card')).toHaveCount(1);

  // A second key, by replacing the first, and one more by name.
  await page.getByRole('button', { name: /Replace the key/ }).click();
  await expect.poll(async () => (await shownKey(page)).key).not.toBe(first);
  const { key: second } = await shownKey(page);
  publish(second);
  await expect.poll(async () => (await server.room('secret-garden')).live.state).toBe('live');
  await page.reload();
  await awake(page);
  await expect(page.locator('main')).toContainText(/LIVE \d/);

  // Wrong keys, close to the right one, are refused and logged without it.
  const wrong = `${second.slice(0, -1)}${second.endsWith('a') ? 'b' : 'a'}`;
  const refused = publish(wrong);
  await expect.poll(() => refused.isRunning).toBe(false);
  const revoked = publish(first);
  await expect.poll(() => revoked.isRunning).toBe(false);

  // What machines read.
  const machines = ['/api/v1/rooms', '/api/v1/rooms/secret-garden', '/metrics', '/healthz', '/readyz', '/rooms/secret-garden', '/'];
  for (const path of machines) {
    const answer = await fetch(server.url + path);
    traffic.bodies.push({ from: `GET ${path} by a machine`, text: await answer.text() });
  }
  const media = await fetch(`${server.url}/live/secret-garden.flv`);
  const reader = media.body?.getReader();
  let stream = '';
  while (stream.length < 400_000) {
    const part = await reader?.read();
    if (!part || part.done) break;
    stream += Buffer.from(part.value).toString('latin1');
  }
  await reader?.cancel();
  expect(stream.length).toBeGreaterThan(100_000);
  traffic.bodies.push({ from: 'the stream', text: stream });

  await traffic.settled();
  expect(traffic.bodies.length).toBeGreaterThan(15);
  expect(traffic.texts.some(({ from }) => from === 'a frame from the server'), 'the channel was listened to').toBe(true);
  expect(traffic.bodiesWith(first), 'answers that hold the first key').toEqual([`POST ${server.url}/fn/create_room`]);
  expect(traffic.bodiesWith(second), 'answers that hold the second key').toEqual([`POST ${server.url}/fn/rotate_key`]);

  await context.close();
  for (const secret of [first, second, wrong]) {
    // Without what all keys share, so that a part of a key would be found as well.
    const core = secret.slice(3, 27);
    expect(traffic.placesOf(core)).toEqual([]);
    expect(titleWithKey).not.toContain(core);
    expect(server.log).not.toContain(core);
    const files = server.dataFiles().filter(({ bytes }) => bytes.includes(core));
    expect(files.map(({ name }) => name)).toEqual([]);
  }
  // The log did say that somebody was refused.
  expect(server.log).toMatch(/refus|unknown key|revoked/i);
});
