// A wire between a browser and the server that fails as networks do.
import net from 'node:net';
import { once } from 'node:events';

export class Wire {
  /** The server's address through the wire. */
  url = '';
  #server: net.Server | undefined;
  #ends = new Set<net.Socket>();
  #state: 'whole' | 'cut' | 'held' | 'refused' = 'whole';

  static async to(url: string): Promise<Wire> {
    const wire = new Wire();
    const target = new URL(url);
    const server = net.createServer((browser) => {
      const behind = net.connect(Number(target.port), target.hostname);
      for (const [from, to] of [[browser, behind], [behind, browser]] as const) {
        wire.#ends.add(from);
        from.on('data', (bytes) => {
          if (wire.#state !== 'cut') to.write(bytes);
        });
        from.on('error', () => undefined);
        from.on('close', () => {
          wire.#ends.delete(from);
          if (wire.#state !== 'cut') to.destroy();
        });
        if (wire.#state === 'held') from.pause();
      }
      if (wire.#state === 'refused') browser.resetAndDestroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    wire.#server = server;
    wire.url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    return wire;
  }

  /** From now on every byte is lost, in both directions, on old and new connections, and nobody is told. */
  cut(): void {
    this.#state = 'cut';
  }

  /** Nothing gets through for now, and nothing is lost. */
  hold(): void {
    this.#state = 'held';
    for (const end of this.#ends) end.pause();
  }

  /** Everything that is open ends at once, and nothing can be opened. */
  refuse(): void {
    this.#state = 'refused';
    for (const end of this.#ends) end.resetAndDestroy();
  }

  /** New connections work again. Those that were cut stay dead; what was held arrives. */
  mend(): void {
    for (const end of this.#ends) {
      if (this.#state === 'held') end.resume();
      else end.destroy();
    }
    this.#state = 'whole';
  }

  close(): void {
    this.refuse();
    this.#server?.close();
  }
}
