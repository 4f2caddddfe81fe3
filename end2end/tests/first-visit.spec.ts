// What a first visit to a room downloads, in bytes as they cross the wire, against the budget.
import { awake, expect, open, test } from '../support/fixtures.ts';
import { ARTEFACTS, END2END } from '../support/paths.ts';
import { expectScene } from '../support/ui.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const BUDGET = Number(readFileSync(path.join(END2END, 'budget-bytes'), 'utf8'));

test(`a first visit to a room downloads at most ${BUDGET / 1000} KB`, async ({ page, context, server }) => {
  await server.createRoom('first-visit');
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  const urls = new Map<string, { url: string; encoding: string }>();
  const sizes: { url: string; encoding: string; bytes: number }[] = [];
  session.on('Network.responseReceived', ({ requestId, response }) => {
    urls.set(requestId, { url: response.url, encoding: response.headers['content-encoding'] ?? 'none' });
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const known = urls.get(requestId);
    if (known && /^https?:/.test(known.url)) sizes.push({ ...known, bytes: encodedDataLength });
  });
  await open(page, `${server.url}/rooms/first-visit`);
  await expectScene(page, 'never');
  await page.waitForLoadState('networkidle');

  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const shown = sizes
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ url, encoding, bytes }) => `${String(bytes).padStart(8)}  ${encoding.padEnd(5)}  ${url.replace(server.url, '')}`);
  const report = [...shown, `${String(total).padStart(8)}  in all, headers included; the budget is ${BUDGET}`].join('\n');
  console.log(report);
  writeFileSync(path.join(ARTEFACTS, 'first-visit.txt'), `${report}\n`);
  writeFileSync(path.join(ARTEFACTS, 'first-visit.json'), JSON.stringify({ total, budget: BUDGET, sizes }, null, 1));

  expect(sizes.find(({ url }) => url.endsWith('.wasm'))?.encoding).toBe('br');
  const parts = sizes.map(({ url }) => url).filter((url) => /\/(split|chunk)_/.test(url));
  expect(parts, 'parts that nobody has asked for').toEqual([]);
  expect(total).toBeLessThanOrEqual(BUDGET);
});

test('a page whose part cannot be fetched is loaded as any other', async ({ page, server, complaints }) => {
  complaints.allow(/ERR_FAILED|Failed to (fetch|load)/);
  await server.createRoom('to-leave');
  await open(page, `${server.url}/rooms/to-leave`);
  let asked = 0;
  await page.route(/split_directory_page.*\.wasm$/, async (route) => {
    asked += 1;
    await (asked === 1 ? route.abort() : route.continue());
  });
  await page.locator('.watch-close').click();
  await expect(page).toHaveURL(`${server.url}/`);
  await expect(page.locator('a[href="/rooms/to-leave"]').first()).toBeVisible();
  await awake(page);
  expect(asked).toBe(2);
});

test('assets carry their content in their name and are kept for good', async ({ page, server }) => {
  const assets: { url: string; cache: string }[] = [];
  page.on('response', (response) => {
    if (response.url().includes('/pkg/')) assets.push({ url: response.url(), cache: response.headers()['cache-control'] ?? '' });
  });
  await open(page, server.url);
  expect(assets.length).toBeGreaterThanOrEqual(3);
  for (const { url, cache } of assets) {
    expect(url).toMatch(/\/pkg\/[\w-]+\.[\w-]{16,}\.(js|wasm|css)$/);
    expect(cache).toContain('immutable');
    expect(cache).toMatch(/max-age=\d{7,}/);
    const gzip = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
    expect(gzip.headers.get('content-encoding')).toBe('gzip');
  }
});
