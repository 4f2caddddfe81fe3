// The server is killed in the middle of a busy chat, and comes back: no page loses a word that it was shown as said.
import { expect, test } from '../support/fixtures.ts';
import { chat, enter, messages, texts, visitor } from '../support/chat.ts';
import { Server } from '../support/server.ts';
import type { Page } from '@playwright/test';

/** Limits that nobody meets who writes fifty messages a second. */
const UNHURRIED = {
  MADANG_LIMITS_CHAT_BURST: '100000',
  MADANG_LIMITS_CHAT_MESSAGES: '100000',
  MADANG_LIMITS_CHAT_PER_MINUTE_PER_ADDRESS: '0',
  MADANG_LIMITS_WS_MESSAGES_PER_SECOND: '100000',
};

interface Typist {
  typed: number;
  stop?: boolean;
}

/** Writes 0, 1, 2 … through the page's own field, fifty a second, until it is told to stop, or has written 150: who comes later is given 200. */
async function type(page: Page): Promise<void> {
  await page.evaluate(() => {
    const typist: Typist = { typed: 0 };
    (window as unknown as { typist: Typist }).typist = typist;
    const field = document.querySelector<HTMLTextAreaElement>('#chat-text')!;
    const timer = setInterval(() => {
      if (typist.stop || typist.typed >= 150) return clearInterval(timer);
      field.value = `number ${typist.typed}.`;
      typist.typed += 1;
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    }, 20);
  });
}

/** Stops that; how many were typed. */
const stop = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const { typist } = window as unknown as { typist: Typist };
    typist.stop = true;
    return typist.typed;
  });

/** Texts that the page shows as said. */
async function confirmed(page: Page): Promise<string[]> {
  const all = await messages(page).evaluateAll((rows) =>
    rows.map((row) => (row.classList.contains('own') ? '' : (/number \d+\./.exec(row.textContent ?? '')?.[0] ?? ''))),
  );
  return all.filter((text) => text !== '');
}

test('killed in the middle of fifty messages a second: what was shown as said is there, once, in order', async ({ page, browser, watched, complaints }) => {
  test.setTimeout(240_000);
  complaints.allow(/WebSocket|ERR_|Failed to load/);
  const server = await Server.start(UNHURRIED);
  try {
    await server.createRoom('busy');
    const url = `${server.url}/rooms/busy`;
    await enter(page, url);
    const reader = await visitor(browser, watched, url);
    for (const one of [page, reader]) await one.evaluate(() => ((window as unknown as { marker: string }).marker = 'not reloaded'));
    await type(page);
    const fewer = async () => Math.min((await confirmed(reader)).length, (await confirmed(page)).length);
    await expect.poll(fewer, { intervals: [100] }).toBeGreaterThan(60);
    await server.kill();
    const typed = await stop(page);
    const [saidHere, readThere] = [await confirmed(page), await confirmed(reader)];
    expect(saidHere.length).toBeGreaterThan(60);
    const all = Array.from({ length: typed }, (_, n) => `number ${n}.`);
    expect(saidHere).toEqual(all.slice(0, saidHere.length));
    test.info().annotations.push({ type: 'measured', description: `${typed} typed, ${saidHere.length} shown as said and ${readThere.length} read when the server died` });

    await server.comeBack(UNHURRIED);
    // Both go on by themselves: what was not confirmed is sent again, and nobody misses any of it.
    await expect(chat(page).locator('.msg.own'), 'three at once, and one each second').toHaveCount(0, { timeout: 160_000 });
    await expect.poll(() => texts(page)).toEqual(all);
    await expect.poll(() => texts(reader), { timeout: 45_000 }).toEqual(all);
    for (const one of [page, reader]) expect(await one.evaluate(() => (window as unknown as { marker?: string }).marker)).toBe('not reloaded');
    // And so it is for somebody who comes now.
    const late = await visitor(browser, watched, url);
    await expect.poll(() => texts(late)).toEqual(all);
  } finally {
    complaints.close();
    await server.stop();
  }
});
