// What lies between a viewer and the server, and can fail: a relay that is cut, or that holds everything back.
import net from 'node:net';
import { once } from 'node:events';

export class Link {
  #pairs = new Set<[net.Socket, net.Socket]>();
  #cut = false;
  #held = false;

  private constructor(
    readonly url: string,
    readonly listener: net.Server,
  ) {}

  /** A way to the server at `url`; the link's own `url` is what pages are opened by. */
  static async to(url: string): Promise<Link> {
    const port = Number(new URL(url).port);
    const listener = net.createServer((near) => link.#join(near, net.connect(port, '127.0.0.1')));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const link = new Link(`http://127.0.0.1:${(listener.address() as net.AddressInfo).port}`, listener);
    return link;
  }

  #join(near: net.Socket, far: net.Socket): void {
    const pair: [net.Socket, net.Socket] = [near, far];
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('data', (bytes: Buffer) => to.write(bytes));
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#held) from.pause();
    }
    if (this.#cut) near.resetAndDestroy();
  }

  /** Everything that is open ends, and nothing can be opened. */
  cut(): void {
    this.#cut = true;
    for (const [near] of this.#pairs) near.resetAndDestroy();
  }

  /** Nothing gets through, and nobody is told. */
  hold(): void {
    this.#held = true;
    this.#pairs.forEach((pair) => pair.forEach((socket) => socket.pause()));
  }

  /** As it should be; what was held back arrives. */
  mend(): void {
    this.#cut = this.#held = false;
    this.#pairs.forEach((pair) => pair.forEach((socket) => socket.resume()));
  }

  end(): void {
    this.listener.close();
    this.cut();
  }
}
