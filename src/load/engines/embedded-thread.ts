import { Worker } from 'node:worker_threads';
import { DropgateError, messageOf } from '../../base/errors.js';
import { formatDuration } from '../../base/text.js';
import { workerUrl } from '../../base/worker-url.js';
import type {
  EmbeddedError,
  EmbeddedMessage,
  EmbeddedRequest,
  EmbeddedResults,
  EmbeddedWorkerData,
} from './embedded-protocol.js';

export interface EmbeddedWorkerOptions {
  data: EmbeddedWorkerData;
  /** How long a statement of a client may run while the engine waits. */
  clientStatementMs: number;
  onNotice: (text: string) => void;
  /** Called once when a worker that was ready has ended, for whatever reason. */
  onExit: () => void;
}

const CLIENT_RECHECK_MS = 1_000;

interface PendingCall {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/** The engine's end of the worker thread that holds PGlite. A call never hangs: when the worker ends, all calls reject. */
export class EmbeddedWorker {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  readonly #options: EmbeddedWorkerOptions;
  #lastId = 0;
  #ready = false;
  #clientTimer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  /** Resolves when the thread is gone. */
  readonly exited: Promise<void>;

  private constructor(options: EmbeddedWorkerOptions) {
    this.#options = options;
    this.#worker = new Worker(workerUrl('./embedded-worker.js', import.meta.url), {
      workerData: options.data,
    });
    this.#worker.on('message', (message: EmbeddedMessage) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#failure ??= stopped(error);
    });
    this.exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#ended();
        resolve();
      });
    });
  }

  /** Starts a worker and waits until its database is open. */
  static start(options: EmbeddedWorkerOptions): Promise<EmbeddedWorker> {
    const worker = new EmbeddedWorker(options);
    return new Promise((resolve, reject) => {
      // Call 0 is answered by `ready`.
      worker.#pending.set(0, { resolve: () => resolve(worker), reject });
    });
  }

  /** True when it takes no more calls. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Has the worker do one thing. @throws an error with SQLSTATE; DropgateError `database_unreachable` when the worker ends */
  call<R extends EmbeddedRequest>(request: R): Promise<EmbeddedResults[R['kind']]> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request });
    });
  }

  /** Ends the worker at once, as a crash would. */
  stop(): void {
    this.#failure ??= stopped(new Error('it was stopped'));
    void this.#worker.terminate();
  }

  /** Closes the database and ends the worker. */
  async close(): Promise<void> {
    await this.call({ kind: 'close' }).catch(() => {});
    await this.#worker.terminate();
  }

  #receive(message: EmbeddedMessage): void {
    if (message.kind === 'notice') this.#options.onNotice(message.text);
    else if (message.kind === 'ready') this.#opened();
    else if (message.kind === 'client') this.#watchClient(message.busy);
    else if (message.kind === 'done') this.#take(message.id)?.resolve(message.result as never);
    else this.#fail(message);
  }

  #opened(): void {
    this.#ready = true;
    this.#take(0)?.resolve(undefined as never);
  }

  #watchClient(busy: boolean): void {
    clearTimeout(this.#clientTimer);
    if (busy)
      this.#clientTimer = setTimeout(() => this.#endClient(), this.#options.clientStatementMs).unref();
  }

  /** A statement in WebAssembly can only be ended with its thread. While nobody waits for it, it may go on. */
  #endClient(): void {
    if (this.#pending.size === 0) {
      this.#clientTimer = setTimeout(() => this.#endClient(), CLIENT_RECHECK_MS).unref();
      return;
    }
    const limit = formatDuration(this.#options.clientStatementMs);
    this.#options.onNotice(
      `A statement of a client of the embedded database ran longer than ${limit} while a load waited; the database is started anew.`,
    );
    this.stop();
  }

  #fail({ id, error, fatal }: EmbeddedMessage & { kind: 'failed' }): void {
    const failure = databaseError(error);
    if (!fatal) {
      this.#take(id)?.reject(failure);
      return;
    }
    this.#failure ??= stopped(failure);
    this.#take(id)?.reject(this.#failure);
    void this.#worker.terminate();
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    return call;
  }

  #ended(): void {
    clearTimeout(this.#clientTimer);
    this.#failure ??= stopped(new Error('its thread ended'));
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(this.#failure);
    if (this.#ready) this.#options.onExit();
  }
}

function stopped(cause: Error): DropgateError {
  return new DropgateError('database_unreachable', `The embedded database stopped: ${messageOf(cause)}.`, {
    cause,
    hint: 'It is started again by itself at the next use.',
  });
}

function databaseError({ message, ...fields }: EmbeddedError): Error {
  return Object.assign(new Error(message), fields);
}
