// A wire between a browser and the server that can be cut as networks are: nothing arrives any more, and nobody is told.
import net from 'node:net';
import { once } from 'node:events';

export class Wire {
  /** The server's address through the wire. */
  url = '';
  #server: net.Server | undefined;
  #ends = new Set<net.Socket>();
  #cut = false;

  static async to(url: string): Promise<Wire> {
    const wire = new Wire();
    const target = new URL(url);
    const server = net.createServer((browser) => {
      const behind = net.connect(Number(target.port), target.hostname);
      for (const [from, to] of [[browser, behind], [behind, browser]] as const) {
        wire.#ends.add(from);
        from.on('data', (bytes) => {
          if (!wire.#cut) to.write(bytes);
        });
        from.on('error', () => undefined);
        from.on('close', () => {
          wire.#ends.delete(from);
          if (!wire.#cut) to.destroy();
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    wire.#server = server;
    wire.url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    return wire;
  }

  /** From now on every byte is lost, in both directions, on old and new connections. */
  cut(): void {
    this.#cut = true;
  }

  /** New connections work again; those from before stay dead. */
  mend(): void {
    for (const end of this.#ends) end.destroy();
    this.#ends.clear();
    this.#cut = false;
  }

  close(): void {
    this.mend();
    this.#server?.close();
  }
}
