import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const HOST = fileURLToPath(new URL('../peers/host.mjs', import.meta.url));

/** A peer in a process of its own, which stays warm from round to round as the daemon does. */
export class Peer {
  #process;
  /** Settles the question under way. */
  #settle = () => {};

  /** @param {string} module file name in `peers/` */
  static async start(module) {
    const peer = new Peer(module);
    const answer = await peer.#ask({ kind: 'load' });
    return { peer, missing: answer.error };
  }

  constructor(module) {
    this.#process = fork(HOST, [module], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (answer) => this.#settle(answer));
    this.#process.on('exit', () => this.#settle({ error: 'the process of the peer ended' }));
  }

  get pid() {
    return this.#process.pid;
  }

  /**
   * Has the peer's function `name` do its work.
   * @returns {Promise<{ ms: number, cpuMs: number, result: unknown }>} measured in the peer's process
   */
  async run(name, input) {
    const answer = await this.#ask({ kind: 'run', name, input });
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  stop() {
    this.#process.disconnect();
  }

  #ask(message) {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#process.send(message);
    });
  }
}
