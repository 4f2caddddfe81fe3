// One server for one test: the release binary on free ports, with a data folder of its own and its whole log kept.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { promisify } from 'node:util';
import { serverBinary } from './paths.ts';

const run = promisify(execFile);

/** A room as `GET /api/v1/rooms/{slug}` answers. */
export interface RoomAnswer {
  slug: string;
  title: string;
  live: { state: 'never' | 'offline' | 'starting' | 'live'; since?: number };
  watching: number;
}

export class Server {
  /** `http://127.0.0.1:PORT` */
  url = '';
  /** `rtmp://127.0.0.1:PORT/live` */
  rtmp = '';
  /** Everything it printed, standard output and error in one. */
  log = '';
  readonly data = mkdtempSync(path.join(os.tmpdir(), 'madang-e2e-'));
  #child: ChildProcess | undefined;

  static async start(environment: Record<string, string> = {}): Promise<Server> {
    const server = new Server();
    await server.#launch('127.0.0.1:0', '127.0.0.1:0', environment);
    return server;
  }

  /** Comes back after `halt` or `kill`, at the same addresses and on the same data. */
  async comeBack(environment: Record<string, string> = {}): Promise<void> {
    await this.#launch(new URL(this.url).host, new URL(this.rtmp.replace('rtmp', 'http')).host, environment);
  }

  async #launch(http: string, rtmp: string, environment: Record<string, string>): Promise<void> {
    const child = spawn(
      serverBinary(),
      ['serve', '--http', http, '--rtmp', rtmp, '--data', this.data],
      // Its own folder, so that no Leptos.toml of anyone is read; the log as talkative as an operator may make it. Most tests are about
      // rooms, and make them as guests; a stream ends soon after its encoder.
      { cwd: this.data, env: { ...process.env, MADANG_LOG_FILTER: 'info,madang=debug', MADANG_ACCOUNTS_MAKE_ROOMS: 'anyone', MADANG_MEDIA_GRACE_S: '1', ...environment } },
    );
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    const lines = readline.createInterface(child.stdout);
    const ready = new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the server ended at once (${code}):\n${this.log}`)));
      lines.on('line', (line) => {
        this.log += `${line}\n`;
        if (line.startsWith('http://')) this.url = line.trim();
        if (line.startsWith('rtmp://')) this.rtmp = line.trim();
        // Printed last.
        if (line.startsWith('rtmp://')) resolve();
      });
    });
    const deadline = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ready.finally(() => clearTimeout(deadline));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resident memory in megabytes. */
  get residentMb(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  }

  /** Makes a room beside the running server, as an operator does; the key is in the answer. */
  async createRoom(slug: string, title = `Room ${slug}`, more: string[] = []): Promise<string> {
    const args = ['room', 'create', '--owner', 'Mina', '--slug', slug, '--title', title, '--category', 'software', ...more];
    const { stdout } = await run(serverBinary(), [...args, '--data', this.data], { cwd: this.data });
    const answer = JSON.parse(stdout) as { slug: string; stream_key: string };
    return answer.stream_key;
  }

  /** Deletes a room beside the running server, as an operator does. */
  async deleteRoom(slug: string): Promise<void> {
    await run(serverBinary(), ['room', 'delete', slug, '--data', this.data], { cwd: this.data });
  }

  async room(slug: string): Promise<RoomAnswer> {
    const answer = await fetch(`${this.url}/api/v1/rooms/${slug}`);
    if (!answer.ok) throw new Error(`GET /api/v1/rooms/${slug}: ${answer.status}`);
    return (await answer.json()) as RoomAnswer;
  }

  /** Every file of the data folder with its bytes. */
  dataFiles(): { name: string; bytes: Buffer }[] {
    const walk = (dir: string): string[] =>
      readdirSync(dir).flatMap((name) => {
        const full = path.join(dir, name);
        return statSync(full).isDirectory() ? walk(full) : [full];
      });
    return walk(this.data).map((file) => ({ name: path.relative(this.data, file), bytes: readFileSync(file) }));
  }

  /** Ends it as a service manager does, and takes its data away. */
  async stop(): Promise<void> {
    await this.halt();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Ends it as a machine that loses its power does; its data stay. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || !this.isRunning) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends it as a service manager does; its data stay. */
  async halt(): Promise<void> {
    const child = this.#child;
    if (child && this.isRunning) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(force);
    }
  }
}
