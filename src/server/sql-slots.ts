import type { FastifyReply } from 'fastify';
import { RequestProblem } from './problem.js';

/** Bounds how many statements run at once: each has a connection, and up to `max_bytes` in memory. */
export class SqlSlots {
  readonly #max: number;
  #running = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Runs `work` with a signal that fires when the client goes away.
   * @throws RequestProblem 429 when too many run already
   */
  async use<T>(reply: FastifyReply, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) {
      reply.header('Retry-After', 5);
      throw new RequestProblem(
        429,
        `${this.#max} statements are running already, which is as many as may`,
        'Try again when one is done. The limit is server.sql.max_statements in dropgate.yaml.',
      );
    }
    const gone = new AbortController();
    const leave = () => gone.abort();
    reply.raw.once('close', leave);
    this.#running++;
    try {
      return await work(gone.signal);
    } finally {
      this.#running--;
      reply.raw.off('close', leave);
    }
  }
}
