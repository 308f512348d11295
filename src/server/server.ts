import type { RequestListener, Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { messageOf } from '../base/errors.js';
import type { ServerContext } from './context.js';
import { addressesOf, endServer, listen, makeServer, portOf } from './listen.js';

/** A server that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:8420`. */
  url: string;
  /** Ends the open connections. */
  close(): Promise<void>;
}

/**
 * Serves the pages and their API. They are made when the first request comes: their libraries take 20 MB and a third of a
 * second of processor time, and most daemons are never asked.
 * @throws system errors, such as EADDRINUSE
 */
export async function startServer(context: ServerContext): Promise<RunningServer> {
  const { host, port } = context.settings;
  const server = makeServer();
  const app = new LateApp(server, context);
  const others = await listen(server, { addresses: await addressesOf(host), port });
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${portOf(server)}`,
    close: async () => {
      await app.close();
      await Promise.all([server, ...others].map(endServer));
    },
  };
}

/** Puts the app behind a server when it is asked for the first time; what is asked meanwhile waits. */
class LateApp {
  readonly #server: Server;
  readonly #context: ServerContext;
  #app: Promise<FastifyInstance> | undefined;

  constructor(server: Server, context: ServerContext) {
    this.#server = server;
    this.#context = context;
    server.on('request', this.#hold);
  }

  async close(): Promise<void> {
    await (await this.#app?.catch(() => undefined))?.close();
  }

  readonly #hold: RequestListener = async (request, response) => {
    this.#app ??= this.#open();
    try {
      await this.#app;
      this.#server.emit('request', request, response);
    } catch (error) {
      this.#app = undefined;
      this.#context.log.error(`The pages cannot be made: ${messageOf(error)}`, { event: 'request_failed' });
      response.writeHead(503).end();
    }
  };

  async #open(): Promise<FastifyInstance> {
    const { buildApp } = await import('./app.js');
    let answer!: RequestListener;
    const serverFactory = (handler: RequestListener) => {
      answer = handler;
      return this.#server;
    };
    const app = await buildApp(this.#context, { serverFactory });
    await app.ready();
    this.#server.off('request', this.#hold).on('request', answer);
    return app;
  }
}
