// Where things are. All paths are absolute.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const END2END = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Kept after a run: pictures, measurements. */
export const ARTEFACTS = path.join(END2END, 'artefacts');

/** Made once by ffmpeg, published again and again without encoding. */
export const STREAM_FILE = path.join(ARTEFACTS, 'stream.flv');

/** The server under test: MADANG_BIN, or what `cargo xtask build` leaves; under `cargo leptos end-to-end` what that built. */
export function serverBinary(): string {
  const target = path.join(path.dirname(END2END), 'target');
  const candidates = [process.env.MADANG_BIN ?? '', path.join(target, 'release/madang'), path.join(target, 'debug/madang')];
  const found = candidates.find((file) => file !== '' && existsSync(file));
  if (!found) throw new Error('there is no server to test: run `cargo xtask build`, or name one in MADANG_BIN');
  return found;
}

/** A file of real media that the parsers are tested with. */
export const clip = (name: string): string => path.join(path.dirname(END2END), 'media/tests/data', `${name}.flv`);
