import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { WebhookMessage } from '../../src/pipeline/quality/webhook.js';
import { listenOnOwnPort } from './own-port.js';

/** How a receiver answers: a status, or whatever it likes. */
export type Answer = number | ((response: ServerResponse, request: IncomingMessage) => void);

/** A real HTTP server that takes messages of a webhook. */
export class Receiver {
  readonly messages: WebhookMessage[] = [];
  readonly requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  answer: Answer = 204;
  readonly #server: Server;
  #port: number | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        this.requests.push({ path: request.url!, headers: request.headers });
        if (body !== '') this.messages.push(JSON.parse(body));
        if (typeof this.answer === 'number') response.writeHead(this.answer).end();
        else this.answer(response, request);
      });
    });
  }

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.up();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook/SECRET?key=SECRET`;
  }

  /** Listens, on the port of before. */
  async up(): Promise<void> {
    if (this.#port === undefined) this.#port = await listenOnOwnPort(this.#server);
    else await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
  }

  /** Nobody listens any more. */
  async down(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
