// trace: notes when each frame of a room's stream arrives, for the player's simulator (player/traces).
// usage: node trace.mjs FLV_URL SECONDS > FILE
// One line a frame, in the order of arrival: K (key frame), V (picture) or A (sound), then the milliseconds since the frame before arrived
// and the milliseconds from its stamp to this one's. What arrives in one piece arrives at one time. Configurations and script data are left
// out, and so are the first three seconds: what a join is sent at once is the simulator's own to send.
import { request } from 'node:http';

const [url, secondsText] = process.argv.slice(2);
const SKIPPED_MS = 3_000;
const lines = [];
let held = Buffer.alloc(0);
let begun = false;
let start = 0;
let last;

/** The tag's letter; undefined for what is no frame. Classic FLV only: traces are of H.264 and AAC. */
const kind = (type, body) => {
  if (type === 9 && body[1] === 1) return body[0] >> 4 === 1 ? 'K' : 'V';
  if (type === 8 && body[1] === 1) return 'A';
  return undefined;
};

const take = (now) => {
  if (!begun) {
    if (held.length < 13) return;
    held = held.subarray(13);
    begun = true;
  }
  while (held.length >= 11) {
    const size = held.readUIntBE(1, 3);
    if (held.length < 11 + size + 4) return;
    const stamp = held.readUIntBE(4, 3) + held[7] * 2 ** 24;
    const letter = kind(held[0], held.subarray(11, 11 + size));
    held = held.subarray(11 + size + 4);
    if (!letter || now - start < SKIPPED_MS || (!last && letter !== 'K')) continue;
    lines.push(`${letter} ${last ? now - last.now : 0} ${last ? stamp - last.stamp : 0}`);
    last = { now, stamp };
  }
};

request(url, (answer) => {
  if (answer.statusCode !== 200) throw new Error(`${url} answers ${answer.statusCode}`);
  start = Math.round(performance.now());
  answer.on('data', (bytes) => {
    const now = Math.round(performance.now());
    held = Buffer.concat([held, bytes]);
    take(now);
    if (now - start > SKIPPED_MS + secondsText * 1e3) {
      process.stdout.write(`${lines.join('\n')}\n`, () => process.exit(0));
      answer.destroy();
    }
  });
}).end();
