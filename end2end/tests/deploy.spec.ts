// A tab that is older than the server: it loads the page anew, once for each deploy and never in a loop.
import { expect, test } from '../support/fixtures.ts';
import { count, enter } from '../support/chat.ts';
import type { WebSocketRoute } from '@playwright/test';

test('an old tab after a deploy reloads once, and again only after the next deploy', async ({ page, server, complaints }) => {
  complaints.allow(/WebSocket/);
  await server.createRoom('deploys');
  /** What the server is made to look like: another protocol, or events that this page does not know. */
  let deployed: { build?: string; unknown?: boolean } = {};
  let hellos = 0;
  let line: WebSocketRoute | undefined;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    line = socket;
    socket.connectToServer().onMessage((data) => {
      let text = String(data);
      if (text.includes('"hello"')) {
        hellos += 1;
        if (deployed.build) text = text.replace(/"protocol":\d+,"build":"[^"]*"/, `"protocol":9999,"build":"${deployed.build}"`);
      } else if (deployed.unknown) {
        text = text.replace(/^\[/, '[{"type":"poll","question":"?"},');
      }
      socket.send(text);
    });
  });
  let loads = 0;
  page.on('load', () => (loads += 1));
  const change = async (to: typeof deployed): Promise<void> => {
    deployed = to;
    await line?.close({ code: 1012, reason: 'the server restarts' });
  };
  /** Until the page has met the server a few more times. */
  const meets = async (times: number): Promise<void> => {
    const from = hellos;
    await expect.poll(() => hellos - from, { timeout: 40_000 }).toBeGreaterThanOrEqual(times);
  };

  await enter(page, `${server.url}/rooms/deploys`);
  expect(loads).toBe(1);
  await change({ build: 'the next one' });
  await expect.poll(() => loads, { message: 'an old tab is told to reload' }).toBe(2);
  // It is as old as before: it says so, and does not try that again.
  await meets(3);
  expect(loads).toBe(2);
  await expect(page.locator('.banner')).toContainText('Madang was updated');
  await change({ build: 'the one after that' });
  await expect.poll(() => loads, { timeout: 40_000 }).toBe(3);
  await meets(2);
  expect(loads).toBe(3);

  // The page and the server fit: all is well, without a reload.
  await change({});
  await expect(count(page)).toHaveText('1 chatting', { timeout: 40_000 });
  expect(loads).toBe(3);

  // Words that it does not know, from a server that it can greet: once, however often they come.
  await change({ unknown: true });
  await expect.poll(() => loads, { timeout: 40_000 }).toBe(4);
  await expect(count(page)).toHaveText('1 chatting', { timeout: 40_000 });
  for (let n = 0; n < 3; n += 1) {
    const from = hellos;
    await change({ unknown: true });
    await expect.poll(() => hellos, { timeout: 40_000 }).toBeGreaterThan(from);
  }
  await expect(page.locator('.banner')).toContainText('Madang was updated');
  expect(loads).toBe(4);
});
