// ffmpeg as the encoder of a test: publishes the prepared file in real time, without encoding.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { STREAM_FILE } from './paths.ts';

export class Publisher {
  #said = '';

  private constructor(readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
  }

  /** `to` is the server's address with the key behind it. */
  static start(rtmp: string, key: string, file = STREAM_FILE): Publisher {
    const args = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy', '-f', 'flv', `${rtmp}/${key}`];
    return new Publisher(spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'] }));
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** What ffmpeg complained of. */
  get said(): string {
    return this.#said;
  }

  /** Ends as a streamer does who presses Stop: the server is told. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** Ends as an encoder does whose machine loses power. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }
}
