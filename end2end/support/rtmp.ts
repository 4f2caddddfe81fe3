// RTMP as bytes, for what no encoder does.
import { readFileSync } from 'node:fs';
import net from 'node:net';

/** An AMF0 string. */
export const text = (value: string): Buffer => {
  const head = Buffer.from([2, 0, 0]);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, Buffer.from(value)]);
};

/** An AMF0 number. */
export const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(9);
  bytes.writeDoubleBE(value, 1);
  return bytes;
};

/** One RTMP message (§5.3.1, chunk type 0) in chunks of 128 bytes, on chunk stream `stream`. */
export function message(type: number, body: Buffer, stream = 3, messageStream = 0, chunkSize = 128): Buffer {
  const head = Buffer.alloc(12);
  head[0] = stream;
  head.writeUIntBE(body.length, 4, 3);
  head[7] = type;
  head.writeUInt32LE(messageStream, 8);
  const parts: Buffer[] = [head];
  for (let at = 0; at < body.length; at += chunkSize) {
    if (at > 0) parts.push(Buffer.from([0xc0 | stream]));
    parts.push(body.subarray(at, at + chunkSize));
  }
  return Buffer.concat(parts);
}

const NULL = Buffer.from([5]);

/** Says what an encoder says until it may send media. Ends with `destroy()`. */
function publisher(rtmp: string, key: string): net.Socket {
  const socket = net.connect(Number(new URL(rtmp.replace('rtmp', 'http')).port), '127.0.0.1', () => {
    socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1536), Buffer.alloc(1536)]));
    const app = Buffer.concat([Buffer.from([3, 0, 3]), Buffer.from('app'), text('live'), Buffer.from([0, 0, 9])]);
    socket.write(message(20, Buffer.concat([text('connect'), number(1), app])));
    socket.write(message(20, Buffer.concat([text('createStream'), number(2), NULL])));
    socket.write(message(20, Buffer.concat([text('publish'), number(3), NULL, text(key), text('live')]), 4, 1));
  });
  // The server closes it in the end; until then its answers are of no interest.
  socket.on('error', () => undefined).resume();
  return socket;
}

/** An encoder that was let in and sends nothing yet. Ends with `destroy()`. */
export const silentEncoder = publisher;

/** An FLV tag: type, stamp in ms, body. */
type Tag = [type: number, at: number, body: Buffer];

/** The tags of these types; media only from the key frame with this number on. */
function tagsOf(file: string, types: number[], fromKey: number): Tag[] {
  const bytes = readFileSync(file);
  const tags: Tag[] = [];
  let [keys, first] = [0, 0];
  for (let at = 13; at + 15 <= bytes.length; ) {
    const size = bytes.readUIntBE(at + 1, 3);
    const type = bytes[at]!;
    const body = bytes.subarray(at + 11, at + 11 + size);
    const configures = type === 18 || body[1] === 0;
    if (type === 9 && body[0]! >> 4 === 1 && !configures) keys += 1;
    const stamp = bytes.readUIntBE(at + 4, 3);
    if (keys < fromKey) first = stamp;
    if (types.includes(type) && (configures || keys >= fromKey)) tags.push([type, Math.max(stamp - first, 0), body]);
    at += 15 + size;
  }
  return tags;
}

/**
 * Publishes FLV files to the byte, over and over, in real time: what ffmpeg on the machine may be too old to read. `next` goes on with
 * another file in the same connection, as an encoder does that is told to use another codec, or other tracks. `types` are the tags that
 * are sent: 8 is sound, 9 is the picture, 18 is words. `fromKey`: each round begins at the key frame with this number; 0 is with all that there is.
 */
export function fileEncoder(
  rtmp: string,
  key: string,
  file: string,
  types = [8, 9, 18],
  fromKey = 0,
): { next: (file: string, types?: number[]) => void; destroy: () => void } {
  const socket = publisher(rtmp, key);
  let tags = tagsOf(file, types, fromKey);
  let [index, origin, last] = [0, 0, 0];
  let begun = 0;
  // Only after the handshake and the commands: what is written before is sent before.
  socket.once('connect', () => (begun = Date.now()));
  const timer = setInterval(() => {
    if (!begun) return;
    for (;;) {
      const tag = tags[index];
      if (!tag) {
        // The next round follows a frame's time after this one.
        [index, origin] = [0, last + 40];
        continue;
      }
      const [type, stamp, body] = tag;
      const at = origin + stamp;
      if (at > Date.now() - begun) return;
      [index, last] = [index + 1, Math.max(last, at)];
      socket.write(stamped(message(type, body, type === 9 ? 6 : 5, 1), at));
    }
  }, 10);
  return {
    next: (other, others = types) => {
      [tags, index, origin] = [tagsOf(other, others, fromKey), 0, last + 40];
    },
    destroy: () => {
      clearInterval(timer);
      socket.destroy();
    },
  };
}

/** The message with this stamp (below 2^24, as tests are short). */
function stamped(bytes: Buffer, at: number): Buffer {
  bytes.writeUIntBE(at, 1, 3);
  return bytes;
}
