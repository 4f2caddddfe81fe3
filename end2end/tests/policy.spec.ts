// What pages may load and run, as the browser enforces it. Every other test fails when a page breaks its policy; this one shows that
// such a breach is noticed, and what the built files say of themselves.
import { awake, expect, open, test } from '../support/fixtures.ts';

test('what gets into a page is neither run nor loaded, and is noticed', async ({ page, server, complaints }) => {
  await server.createRoom('strict');
  await open(page, `${server.url}/rooms/strict`);
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<img src="https://elsewhere.invalid/x.png" onerror="window.ran = true">');
    document.body.insertAdjacentHTML('beforeend', '<b style="position: fixed">covers the page</b>');
    void fetch('https://elsewhere.invalid/').catch(() => undefined);
  });
  const seen: string[] = [];
  const all = () => {
    seen.push(...complaints.takeViolations());
    return seen.join('\n');
  };
  for (const directive of ['script-src-elem', 'script-src-attr', 'style-src-attr', 'img-src', 'connect-src']) {
    await expect.poll(all).toContain(`: ${directive} forbids`);
  }
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
  // The browser's own lines come beside the events, some of them later.
  await page.reload();
  await awake(page);
  complaints.takeViolations();
});

test('a page and its parts say what they are', async ({ page, server }) => {
  const answers: { path: string; headers: Record<string, string> }[] = [];
  page.on('response', (response) => answers.push({ path: new URL(response.url()).pathname, headers: response.headers() }));
  await open(page, server.url);
  const parts = answers.filter(({ path }) => path.startsWith('/pkg/'));
  expect(new Set(parts.map(({ path }) => path.split('.').pop()))).toEqual(new Set(['js', 'wasm', 'css']));
  for (const { path, headers } of parts) {
    expect(headers['x-content-type-options'], path).toBe('nosniff');
    expect(headers['cross-origin-resource-policy'], path).toBe('same-origin');
  }
  const policies = answers.filter(({ path }) => path === '/').map(({ headers }) => headers['content-security-policy']);
  await page.reload();
  await awake(page);
  policies.push(answers.findLast(({ path }) => path === '/')?.headers['content-security-policy']);
  const nonces = policies.map((policy) => /'nonce-([\w-]{22,})'/.exec(policy ?? '')?.[1]);
  expect(nonces).toHaveLength(2);
  expect(nonces[0]).toBeTruthy();
  expect(nonces[1]).toBeTruthy();
  expect(nonces[0], 'a nonce is for one answer').not.toBe(nonces[1]);
});
