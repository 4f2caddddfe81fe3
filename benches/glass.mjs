// glass: what a viewer's browser shows, frame by frame, of any page with a <video>.
// usage: node glass.mjs clock PLAYER URL SECONDS      delay of each shown frame, read from the strip that clocksrc paints
//        node glass.mjs join PLAYER URL SECONDS       from the start of opening to the first frame, and the delay after SECONDS
//        node glass.mjs steady PLAYER URL SECONDS     gaps between shown frames, and how the delay changed over the time
//        node glass.mjs long PLAYER URL SECONDS       the same over a long time: delay, rates and memory at its start and its end
//        node glass.mjs work PLAYER URL SECONDS       what the page's main thread did in that time, and the memory it holds then
//        node glass.mjs memory PLAYER URL SECONDS     what script and WebAssembly hold over that time, sampled, and after collecting garbage
// PLAYER is `page` for a page that has its own, or one of PLAYERS, which gets a page of another origin and the stream at URL.
// Prints one JSON line. Takes flv.js from end2end's packages.
import { launch, require } from './browser.mjs';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const [mode, player, url, secondsText] = process.argv.slice(2);
const seconds = Number(secondsText);

/** Runs in the page: notes each shown frame, and the clock in it. */
function watch() {
  const seen = (window.seen = { first: 0, shown: [], media: [], delays: [], gaps: [], unread: 0, rates: 0, fastest: 0 });
  const canvas = document.createElement('canvas');
  canvas.width = 48;
  canvas.height = 1;
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  /** The Unix time in the strip in ms; undefined when the checksum does not fit. */
  const clock = (video) => {
    const block = Math.floor(video.videoWidth / 48);
    const strip = Math.floor(video.videoHeight / 12);
    for (let b = 0; b < 48; b++) paint.drawImage(video, b * block + block / 4, strip / 4, block / 2, strip / 2, b, 0, 1, 1);
    const pixels = paint.getImageData(0, 0, 48, 1).data;
    let ms = 0;
    let sum = 0;
    let check = 0;
    for (let k = 0; k < 12; k++) {
      let nibble = 0;
      for (let j = 0; j < 4; j++) nibble = nibble * 2 + (pixels[(k * 4 + j) * 4] > 125 ? 1 : 0);
      if (k < 11) {
        ms = ms * 16 + nibble;
        sum += nibble;
      } else check = nibble;
    }
    return (sum & 15) === check && ms > 1e12 ? ms : undefined;
  };
  const hook = (video) => {
    let frames = 0;
    video.addEventListener('ratechange', () => {
      seen.rates++;
      seen.fastest = Math.max(seen.fastest, Math.abs(video.playbackRate - 1));
    });
    const frame = (_, meta) => {
      const now = performance.timeOrigin + performance.now();
      if (window.sparse) {
        // An hour of frames is looked at once a second.
        if (seen.last && now - seen.last > 300) seen.gaps.push([now, Math.round(now - seen.last)]);
        seen.last = now;
        seen.first ||= performance.now();
        const made = frames++ % 30 ? undefined : clock(video);
        if (made !== undefined) seen.delays.push([now, now - made]);
        video.requestVideoFrameCallback(frame);
        return;
      }
      if (!seen.first) seen.first = performance.now();
      seen.shown.push(now);
      seen.media.push(meta.mediaTime * 1e3);
      if (window.readClock) {
        const made = clock(video);
        if (made === undefined) seen.unread++;
        else seen.delays.push([now, now - made]);
      }
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };
  const hooked = new WeakSet();
  const look = () => {
    for (const video of document.querySelectorAll('video:not(.player-poster)')) {
      if (hooked.has(video)) continue;
      hooked.add(video);
      hook(video);
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  setInterval(look, 50);
}

const FLVJS = { global: 'flvjs', file: 'flv.js/dist/flv.min.js', options: { enableStashBuffer: false } };
const MPEGTS = { global: 'mpegts', file: 'mpegts.js/dist/mpegts.js' };
const synced = (target) => ({ enableStashBuffer: false, enableWorker: true, enableWorkerForMSE: true, liveSync: true, liveSyncTargetLatency: target, liveSyncMaxLatency: target + 0.06 });
/** As the documentation of each says for live streams. */
const PLAYERS = {
  'flv.js': FLVJS,
  'mpegts.js': { ...MPEGTS, options: { enableStashBuffer: false, liveSync: true } },
  'mpegts.js-stash': { ...MPEGTS, options: { liveSync: true } },
  'mpegts.js-0.4': { ...MPEGTS, options: synced(0.4) },
  'mpegts.js-0.12': { ...MPEGTS, options: synced(0.12) },
};

/** A page of another origin that plays `flv` with one of PLAYERS. */
async function pageOf({ global, file, options }, flv) {
  const script = readFileSync(require.resolve(file));
  const html = `<!doctype html><link rel="icon" href="data:,"><video muted autoplay playsinline></video><script src="/player.js"></script><script>
const player = ${global}.createPlayer({ type: 'flv', isLive: true, url: ${JSON.stringify(flv)} }, ${JSON.stringify(options)});
player.attachMediaElement(document.querySelector('video:not(.player-poster)')); player.load(); player.play();</script>`;
  const server = createServer((request, response) => {
    const js = request.url === '/player.js';
    response.writeHead(200, { 'content-type': js ? 'text/javascript' : 'text/html' }).end(js ? script : html);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return `http://127.0.0.1:${server.address().port}/`;
}

const at = (sorted, part) => (sorted.length ? Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]) : -1);
const ascending = (numbers) => [...numbers].sort((a, b) => a - b);
const mean = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / Math.max(1, numbers.length);

const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
if (['work', 'long', 'memory'].includes(mode)) {
  // Where WASM keeps its memory.
  await page.addInitScript(() => {
    const { instantiate, instantiateStreaming } = WebAssembly;
    const keep = async (made) => {
      const { instance } = await made;
      window.memories = [...(window.memories ?? []), ...Object.values((instance ?? (await made)).exports ?? {}).filter((e) => e instanceof WebAssembly.Memory)];
      return made;
    };
    WebAssembly.instantiate = (...args) => keep(instantiate(...args));
    WebAssembly.instantiateStreaming = (...args) => keep(instantiateStreaming(...args));
  });
}
if (mode === 'work' || mode === 'memory') {
  // Nothing else of ours runs in the page.
  await page.addInitScript(() => {
    window.seen = { first: 0 };
    setInterval(() => document.querySelector('video:not(.player-poster)')?.currentTime > 0 && (window.seen.first ||= performance.now()), 100);
  });
} else {
  await page.addInitScript(`window.readClock = ${mode !== 'steady'}; window.sparse = ${mode === 'long'}; (${watch})()`);
}
// What a browser does when it starts is no part of going somewhere in it.
if (mode === 'join') await page.waitForTimeout(1_500);
await page.goto(player === 'page' ? url : await pageOf(PLAYERS[player], url), { waitUntil: 'commit' });
await page.waitForFunction(() => window.seen.first > 0, null, { timeout: 30_000 });
if (mode === 'work') {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const read = async () => Object.fromEntries((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  await page.waitForTimeout(5_000);
  const before = await read();
  await page.waitForTimeout(seconds * 1e3);
  const after = await read();
  await session.send('HeapProfiler.collectGarbage');
  const { JSHeapUsedSize: heap } = await read();
  const wasm = await page.evaluate(() => (window.memories ?? []).reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
  const frames = await page.evaluate(() => document.querySelector('video:not(.player-poster)').getVideoPlaybackQuality().totalVideoFrames);
  await browser.close();
  const spent = (name) => Math.round((after[name] - before[name]) * 1e3);
  console.log(JSON.stringify({ seconds, frames, script_ms: spent('ScriptDuration'), task_ms: spent('TaskDuration'), heap_mb: +(heap / 1e6).toFixed(1), wasm_mb: +(wasm / 1e6).toFixed(1) }));
  process.exit(0);
}
if (mode === 'memory') {
  const session = await page.context().newCDPSession(page);
  /** In MB: the script's heap, the buffers that it holds, and WebAssembly's memory, which is not among them. */
  const held = async () => {
    const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage');
    const wasm = await page.evaluate(() => (window.memories ?? []).reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
    return [usedSize, backingStorageSize, wasm].map((bytes) => bytes / 1e6);
  };
  const samples = [];
  const end = Date.now() + seconds * 1e3;
  while (Date.now() < end) {
    await page.waitForTimeout(Math.min(10_000, seconds * 100));
    samples.push(await held());
  }
  await session.send('HeapProfiler.collectGarbage');
  const [heap, buffers, wasm] = await held();
  const position = await page.evaluate(() => document.querySelector('video:not(.player-poster)').currentTime);
  await browser.close();
  const sums = samples.map(([heap, buffers, wasm]) => heap + buffers + wasm);
  const round = (mb) => +mb.toFixed(2);
  console.log(JSON.stringify({
    seconds, played_s: Math.round(position), mean_mb: round(mean(sums)), most_mb: round(Math.max(...sums)),
    first_mb: round(mean(sums.slice(0, 30))), last_mb: round(mean(sums.slice(-30))),
    heap_mb: round(heap), buffers_mb: round(buffers), wasm_mb: round(wasm),
  }));
  process.exit(0);
}
if (mode === 'long') {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const memory = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    const wasm = await page.evaluate(() => (window.memories ?? []).reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
    return [metrics.find(({ name }) => name === 'JSHeapUsedSize').value, wasm].map((bytes) => +(bytes / 1e6).toFixed(1));
  };
  // The buffer to go back in is two minutes long: what is held before it is full says little.
  const early = Math.min(180, seconds / 3);
  await page.waitForTimeout(early * 1e3);
  const [heapBefore, wasmBefore] = await memory();
  await page.waitForTimeout((seconds - early) * 1e3);
  const [heapAfter, wasmAfter] = await memory();
  const seen = await page.evaluate(() => ({ ...window.seen, pitch: document.querySelector('video:not(.player-poster)').preservesPitch }));
  await browser.close();
  const start = seen.delays[0][0];
  const last = seen.delays.at(-1)[0];
  const delay = (from, to) => at(ascending(seen.delays.filter(([time]) => time >= from && time < to).map(([, delay]) => delay)), 0.5);
  console.log(JSON.stringify({
    seconds: Math.round((last - start) / 1e3), before_ms: delay(start + 20_000, start + 80_000), after_ms: delay(last - 60_000, last + 1), gaps: seen.gaps.length,
    longest_gap_ms: Math.max(0, ...seen.gaps.map(([, ms]) => ms)), rates: seen.rates, fastest: seen.fastest, pitch: Number(seen.pitch),
    heap_before_mb: heapBefore, heap_after_mb: heapAfter, wasm_before_mb: wasmBefore, wasm_after_mb: wasmAfter,
  }));
  process.exit(0);
}
// A delay is judged once the player has settled.
const settle = mode === 'clock' ? Math.min(10, seconds / 3) : 0;
await page.waitForTimeout((settle + seconds) * 1e3);
const seen = await page.evaluate(() => {
  const video = document.querySelector('video:not(.player-poster)');
  const quality = video.getVideoPlaybackQuality();
  return { ...window.seen, dropped: quality.droppedVideoFrames, total: quality.totalVideoFrames, heap: performance.memory?.usedJSHeapSize ?? 0 };
});
await browser.close();

const from = seen.shown[0] + settle * 1e3;
const shown = seen.shown.filter((time) => time >= from);
const gaps = shown.slice(1).map((time, i) => time - shown[i]).filter((gap) => gap > 300);
const answer = { join_ms: Math.round(seen.first), frames: shown.length, dropped: seen.dropped, stalls: gaps.length, longest_gap_ms: Math.round(Math.max(0, ...shown.slice(1).map((t, i) => t - shown[i]))), heap_mb: +(seen.heap / 1e6).toFixed(1) };
if (mode === 'steady') {
  // Published in real time, so wall clock minus media time is the delay but for a constant.
  const behind = (start, end) => mean(seen.shown.map((t, i) => [t - seen.shown[0], t - seen.media[i]]).filter(([t]) => t >= start && t < end).map(([, d]) => d));
  const last = seen.shown.at(-1) - seen.shown[0];
  answer.drift_ms = Math.round(behind(last - 10_000, last + 1) - behind(10_000, 20_000));
} else if (mode === 'join') {
  const last = seen.delays.at(-1)?.[0] ?? 0;
  answer.end_ms = at(ascending(seen.delays.filter(([time]) => time >= last - 1_000).map(([, delay]) => delay)), 0.5);
} else {
  const delays = ascending(seen.delays.filter(([time]) => time >= from).map(([, delay]) => delay));
  Object.assign(answer, { unread: seen.unread, p50: at(delays, 0.5), p95: at(delays, 0.95), max: at(delays, 1), first_ms: Math.round(seen.delays[0]?.[1] ?? -1) });
}
console.log(JSON.stringify(answer));
