// Before all tests: a folder for artefacts, and the stream that the tests publish.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { ARTEFACTS, STREAM_FILE, serverBinary } from './paths.ts';

export default function setUp(): void {
  serverBinary();
  mkdirSync(ARTEFACTS, { recursive: true });
  if (existsSync(STREAM_FILE)) return;
  // As OBS sends it, but small: H.264 High with a key frame each second, AAC-LC 48 kHz stereo; 20 s.
  const args = [
    '-v', 'error', '-nostdin', '-y',
    '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30',
    '-f', 'lavfi', '-i', 'sine=frequency=330:beep_factor=3:sample_rate=48000',
    '-t', '20',
    '-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'high', '-pix_fmt', 'yuv420p',
    '-b:v', '1200k', '-maxrate', '1200k', '-bufsize', '1200k', '-g', '30', '-keyint_min', '30', '-sc_threshold', '0',
    '-c:a', 'aac', '-b:a', '128k', '-ac', '2',
    '-f', 'flv', `${STREAM_FILE}.part`,
  ];
  execFileSync('ffmpeg', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  renameSync(`${STREAM_FILE}.part`, STREAM_FILE);
}
