import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { listenOnOwnPort } from './own-port.js';

/** A port that leads to a server once it is told to: what stands behind it seems down before and after. */
export class Relay {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Takes a free port on which nobody listens yet. */
  static async reserve(target: { host: string; port: number }): Promise<Relay> {
    const server = createServer((from) => relay.#join(from, connect(target.port, target.host)));
    const relay = new Relay(server, await listenOnOwnPort(server));
    await relay.down();
    return relay;
  }

  async up(): Promise<void> {
    await once(this.#server.listen(this.port, '127.0.0.1'), 'listening');
  }

  /** Ends all connections; nobody listens any more. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(from: Socket, to: Socket): void {
    for (const [one, other] of [
      [from, to],
      [to, from],
    ]) {
      this.#sockets.add(one);
      one
        .on('error', () => undefined)
        .on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  }
}
