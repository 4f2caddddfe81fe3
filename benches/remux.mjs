// remux: how many bytes of FLV a second two remuxers in one browser make fragments of, on one thread: ours in WebAssembly, mpegts.js'.
// usage: node remux.mjs MODULE.wasm FILE.flv CHUNK ROUNDS
// Each round gives the whole file, CHUNK bytes at a time, to the one and then the other, and the next round the other way around.
// Nothing is appended anywhere. Prints one JSON line. Takes mpegts.js from end2end's packages.
import { launch, require } from './browser.mjs';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const [module, file, chunkText, roundsText] = process.argv.slice(2);

/** Runs in the page. */
async function compare({ chunk, rounds }) {
  const bytes = new Uint8Array(await (await fetch('/stream.flv')).arrayBuffer());
  const chunks = [];
  for (let at = 0; at < bytes.length; at += chunk) chunks.push(bytes.slice(at, at + chunk));

  const { instance } = await WebAssembly.instantiateStreaming(fetch('/remux.wasm'));
  const wasm = instance.exports;
  const ours = () => {
    wasm.begin();
    let made = 0;
    for (const part of chunks) {
      const at = wasm.room(part.length);
      new Uint8Array(wasm.memory.buffer, at, part.length).set(part);
      if (!wasm.push()) throw new Error('not a stream');
      // As appendBuffer is given them: one append a track.
      for (let n = 0, length; (length = wasm.length(n)); n++) made += new Uint8Array(wasm.memory.buffer, wasm.given(n), length).length;
    }
    return made;
  };

  // Its classes are not exported: a player that has begun has one of each.
  mpegts.LoggingControl.enableAll = false;
  const player = mpegts.createPlayer({ type: 'flv', isLive: true, url: '/stream.flv' }, { enableStashBuffer: false, liveSync: true });
  player.attachMediaElement(document.querySelector('video'));
  player.load();
  const begun = () => player._player_engine?._transmuxer?._controller;
  while (!begun()?._demuxer) await new Promise((resolve) => setTimeout(resolve, 10));
  const { _demuxer: { constructor: Demuxer }, _remuxer: { constructor: Remuxer }, _config: config } = begun();
  player.destroy();
  const theirs = () => {
    const demuxer = new Demuxer(Demuxer.probe(chunks[0].buffer), config);
    const remuxer = new Remuxer(config);
    let made = 0;
    demuxer.onError = (type, info) => { throw new Error(`${type}: ${info}`); };
    for (const event of ['onMediaInfo', 'onMetaDataArrived', 'onScriptDataArrived']) demuxer[event] = () => {};
    remuxer.bindDataSource(demuxer);
    remuxer.onInitSegment = (_, { data }) => { made += data.byteLength; };
    remuxer.onMediaSegment = (_, { data }) => { made += data.byteLength; };
    let left;
    let at = 0;
    for (const part of chunks) {
      let all = part;
      if (left) {
        all = new Uint8Array(left.length + part.length);
        all.set(left);
        all.set(part, left.length);
      }
      const taken = demuxer.parseChunks(all.buffer, at);
      at += taken;
      left = taken < all.length ? all.subarray(taken) : undefined;
    }
    return made;
  };

  const sides = { ours, theirs };
  const made = { ours: ours(), theirs: theirs() };
  // Framing aside, all that came in goes out.
  for (const [side, out] of Object.entries(made)) if (Math.abs(out / bytes.length - 1) > 0.05) throw new Error(`${side} made ${out} of ${bytes.length}`);
  const rates = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 ? ['theirs', 'ours'] : ['ours', 'theirs']) {
      const start = performance.now();
      if (sides[side]() !== made[side]) throw new Error(`${side} made something else`);
      rates[side].push(bytes.length / 1e6 / ((performance.now() - start) / 1e3));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return { bytes: bytes.length, made, rates };
}

const types = { '/': 'text/html', '/remux.wasm': 'application/wasm', '/mpegts.js': 'text/javascript', '/stream.flv': 'video/x-flv' };
const bodies = {
  '/': '<!doctype html><link rel="icon" href="data:,"><video muted></video><script src="/mpegts.js"></script>',
  '/remux.wasm': readFileSync(module),
  '/mpegts.js': readFileSync(require.resolve('mpegts.js/dist/mpegts.js')),
  '/stream.flv': readFileSync(file),
};
const server = createServer(({ url }, response) => response.writeHead(types[url] ? 200 : 404, { 'content-type': types[url] ?? 'text/plain' }).end(bodies[url]));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await launch();
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const { bytes, made, rates } = await page.evaluate(compare, { chunk: Number(chunkText), rounds: Number(roundsText) });
await browser.close();
server.close();
const ascending = (numbers) => [...numbers].sort((a, b) => a - b);
const said = Object.entries(rates).flatMap(([side, all]) => {
  const sorted = ascending(all);
  return [[`${side}_mb_s`, sorted[sorted.length >> 1]], [`${side}_least`, sorted[0]], [`${side}_most`, sorted.at(-1)]];
});
console.log(JSON.stringify({ bytes, ours_made: made.ours, theirs_made: made.theirs, ...Object.fromEntries(said.map(([name, mb]) => [name, Math.round(mb)])) }));
