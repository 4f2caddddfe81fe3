// RTMP as bytes, for what no encoder does.
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

/** An encoder that was let in and sends nothing yet. Ends with `destroy()`. */
export function silentEncoder(rtmp: string, key: string): net.Socket {
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
