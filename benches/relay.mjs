// relay: a link with a bad day, between a viewer and a server, for traces and for trying a page by hand.
// usage: node relay.mjs LISTEN_PORT SERVER_PORT [delay=MS] [jitter=MS] [rate=KBIT] [stall=EVERY_S:MS]... [seed=N]
// What the server sends arrives in order, after the delay and up to the jitter, no faster than the rate, and not during a stall. What a
// browser's TCP makes of lost packets is a stall of 200 ms or more, too. What the viewer sends is only delayed.
import { connect, createServer } from 'node:net';

const [listen, server, ...words] = process.argv.slice(2);
const options = { delay: 0, jitter: 0, rate: 0, seed: 1, stalls: [] };
for (const word of words) {
  const [name, value] = word.split('=');
  if (name === 'stall') options.stalls.push(value.split(':').map(Number));
  else options[name] = Number(value);
}
const start = performance.now();
let seed = options.seed;
/** Evenly from 0 to 1, the same in each run. */
const random = () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};
/** The end of the stall that `at` lies in, or `at`. */
const afterStall = (at) =>
  options.stalls.reduce((time, [every, ms]) => {
    const into = (time - start) % (every * 1e3);
    return time - start > every * 1e3 && into < ms ? time + ms - into : time;
  }, at);

createServer((viewer) => {
  const upstream = connect(Number(server), '127.0.0.1');
  viewer.setNoDelay(true);
  upstream.setNoDelay(true);
  let free = 0;
  let last = 0;
  let waiting = 0;
  const queue = [];
  const pass = () => {
    while (queue.length && queue[0].due <= performance.now()) {
      const { bytes } = queue.shift();
      waiting -= bytes.length;
      viewer.write(bytes);
    }
    if (waiting < 128 * 1024) upstream.resume();
    if (queue.length) setTimeout(pass, queue[0].due - performance.now());
  };
  upstream.on('data', (bytes) => {
    const now = performance.now();
    free = Math.max(free, now) + (options.rate ? (bytes.length * 8) / options.rate : 0);
    last = Math.max(last, afterStall(free + options.delay + random() * options.jitter));
    // A link holds so much; then the server's own socket fills.
    waiting += bytes.length;
    if (waiting > 256 * 1024) upstream.pause();
    if (queue.push({ due: last, bytes }) === 1) setTimeout(pass, last - now);
  });
  viewer.on('data', (bytes) => setTimeout(() => upstream.write(bytes), options.delay));
  for (const [one, other] of [[viewer, upstream], [upstream, viewer]]) {
    one.on('close', () => other.destroy());
    one.on('error', () => other.destroy());
  }
}).listen(Number(listen), '127.0.0.1');
