import { classifyError } from '../classify.js';
import type { Engine, ErrorClass, QueryResult, ReadOptions, Session, SqlRow, SqlValue } from '../engine.js';
import { quoteName, quoteNames } from '../quote.js';
import { cancellable, checkReads, queryCancelled, queryRefused, queryTooSlow } from '../read-only.js';
import { connectFailed } from './connection-error.js';
import { COPY_FILE } from './embedded-protocol.js';
import { EmbeddedWorker } from './embedded-thread.js';

export interface EmbeddedOptions {
  /** Folder of the data. Only one process may have it open; the caller sees to that. */
  dataDir: string;
  /** Folder of the Unix socket `.s.PGSQL.5432`, by which other programs reach the database meanwhile. */
  socketDir: string;
  /** How long a client of the socket may keep its transaction open without a message while others wait; default 30,000 ms. */
  idleInTransactionMs?: number;
  /** How long one statement of a client may run while others wait; default 300,000 ms. */
  clientStatementMs?: number;
  onNotice?: (text: string) => void;
}

const IDLE_IN_TRANSACTION_MS = 30_000;
const CLIENT_STATEMENT_MS = 300_000;
/** Bulk data goes to the worker in pieces of at most about this size, all within one transaction. */
const COPY_PIECE_BYTES = 8_000_000;

/** PGlite in a worker thread: Postgres without a server. */
export class EmbeddedEngine implements Engine {
  readonly dialect = 'postgres';
  readonly isDoneWithChunks = true;
  readonly address: string;
  readonly #options: EmbeddedOptions;
  #worker: Promise<EmbeddedWorker> | undefined;
  /** The end of the last piece of work; the next one follows it. */
  #last: Promise<unknown> = Promise.resolve();
  #closing = false;

  constructor(options: EmbeddedOptions) {
    this.address = `embedded database in ${options.dataDir}`;
    this.#options = options;
  }

  async connect(): Promise<void> {
    await this.#use();
  }

  query(sql: string, params?: SqlValue[]): Promise<SqlRow[]> {
    return this.transaction((session) => session.query(sql, params));
  }

  execute(sql: string, params?: SqlValue[]): Promise<number> {
    return this.transaction((session) => session.execute(sql, params));
  }

  copyIn(table: string, columns: string[], chunks: AsyncIterable<Uint8Array>): Promise<number> {
    return this.transaction((session) => session.copyIn(table, columns, chunks));
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#inTurn(async (worker) => {
      await worker.call({ kind: 'begin', mode: 'READ WRITE' });
      const result = await rollingBack(worker, () => work(new EmbeddedSession(worker)));
      await worker.call({ kind: 'commit' });
      return result;
    });
  }

  readOnly(sql: string, options: ReadOptions): Promise<QueryResult> {
    return this.#inTurn(async (worker) => {
      checkReads(sql);
      if (options.signal?.aborted) throw queryCancelled();
      await worker.call({ kind: 'begin', mode: 'READ ONLY' });
      const result = await rollingBack(worker, () => readWithin({ worker, sql, options }));
      await worker.call({ kind: 'rollback' });
      return result;
    });
  }

  classify(error: unknown): ErrorClass {
    return classifyError(error);
  }

  async close(): Promise<void> {
    await this.#last;
    this.#closing = true;
    const worker = await this.#worker?.catch(() => undefined);
    await worker?.close();
  }

  /** There is one session, so all work is done one after the other. */
  #inTurn<T>(work: (worker: EmbeddedWorker) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#use()).then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** The worker; a new one when there is none or the last one died. Postgres recovers from that by itself. */
  async #use(): Promise<EmbeddedWorker> {
    for (;;) {
      this.#worker ??= this.#start();
      const worker = await this.#worker;
      if (!worker.failed) return worker;
      // The data must not be opened before the last thread has let go of it.
      await worker.exited;
    }
  }

  #start(): Promise<EmbeddedWorker> {
    const { dataDir, socketDir, idleInTransactionMs, clientStatementMs } = this.#options;
    return EmbeddedWorker.start({
      data: { dataDir, socketDir, idleInTransactionMs: idleInTransactionMs ?? IDLE_IN_TRANSACTION_MS },
      clientStatementMs: clientStatementMs ?? CLIENT_STATEMENT_MS,
      onNotice: (text) => this.#options.onNotice?.(text),
      onExit: () => this.#restart(),
    }).catch((error) => {
      this.#worker = undefined;
      throw connectFailed(this.address, error);
    });
  }

  /** Clients of the socket shall find the database again before its next use here. One that does not start is left alone. */
  #restart(): void {
    this.#worker = undefined;
    if (!this.#closing) this.#use().catch(() => {});
  }
}

class EmbeddedSession implements Session {
  readonly #worker: EmbeddedWorker;

  constructor(worker: EmbeddedWorker) {
    this.#worker = worker;
  }

  query(sql: string, params: SqlValue[] = []): Promise<SqlRow[]> {
    return this.#worker.call({ kind: 'query', sql, params });
  }

  execute(sql: string, params: SqlValue[] = []): Promise<number> {
    return this.#worker.call({ kind: 'execute', sql, params });
  }

  /** FROM STDIN would need a protocol stream that PGlite does not have, so it reads COPY data from a file. */
  async copyIn(table: string, columns: string[], chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const target = `${quoteName('postgres', table)} (${quoteNames('postgres', columns)})`;
    const sql = `COPY ${target} FROM '${COPY_FILE}' WITH (FORMAT text)`;
    let taken = 0;
    // One is filled while the other one is taken.
    let [filling, taking] = [new CopyRoom(), new CopyRoom()];
    let work: Promise<void> | undefined;
    let hasFailed = false;
    /** What is gathered meanwhile is the next piece; the first one does not wait for others. */
    const take = async () => {
      try {
        while (filling.size > 0) {
          [filling, taking] = [taking, filling];
          taken += await this.#worker.call({ kind: 'copy', sql, bytes: taking.bytes });
          taking.clear();
        }
        work = undefined;
      } catch (error) {
        hasFailed = true;
        throw countedFrom(taken, error as { where?: string });
      }
    };
    try {
      for await (const chunk of chunks) {
        if (filling.size + chunk.length > COPY_PIECE_BYTES) await work;
        filling.add(chunk);
        work ??= take();
        // It is awaited later.
        work.catch(() => {});
        if (hasFailed) await work;
      }
    } finally {
      await work;
    }
    return taken;
  }
}

/** Memory for a piece of bulk data, which is the worker's until it has taken it. */
class CopyRoom {
  #room = new Uint8Array(new SharedArrayBuffer(COPY_PIECE_BYTES));
  size = 0;

  /** Adds a copy of `chunk`. */
  add(chunk: Uint8Array): void {
    const end = this.size + chunk.length;
    if (end > this.#room.length) {
      const larger = new Uint8Array(new SharedArrayBuffer(end));
      larger.set(this.#room.subarray(0, this.size));
      this.#room = larger;
    }
    this.#room.set(chunk, this.size);
    this.size = end;
  }

  get bytes(): Uint8Array<SharedArrayBuffer> {
    return this.#room.subarray(0, this.size);
  }

  clear(): void {
    this.size = 0;
  }
}

/** Runs `work` in the transaction that has begun; ends it when `work` fails. */
async function rollingBack<T>(worker: EmbeddedWorker, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Should the worker have died, so has its transaction.
    await worker.call({ kind: 'rollback' }).catch(() => {});
    throw error;
  }
}

/**
 * WebAssembly has no timers: a statement that takes too long, or that nobody waits for any more, can only be ended with
 * its thread. One that is almost done may end by itself, which costs less.
 */
async function readWithin(read: {
  worker: EmbeddedWorker;
  sql: string;
  options: ReadOptions;
}): Promise<QueryResult> {
  const { worker, sql, options } = read;
  const { timeoutMs, params = [], bounds, signal } = options;
  let tooSlow = false;
  const timer = setTimeout(() => {
    tooSlow = true;
    worker.stop();
  }, timeoutMs);
  const cancel = () => worker.stop();
  try {
    const reading = () => worker.call({ kind: 'read', sql, params, bounds });
    return await cancellable({ signal, cancel, isCostly: true }, reading);
  } catch (error) {
    throw tooSlow ? queryTooSlow(timeoutMs) : queryRefused(error, sql);
  } finally {
    clearTimeout(timer);
  }
}

/** `COPY t, line 3, column age` speaks of the piece; the reader wants the row of the file. */
function countedFrom(rowsBefore: number, error: { where?: string }): unknown {
  error.where = error.where?.replace(/, line (\d+)/, (_, line) => `, line ${Number(line) + rowsBefore}`);
  return error;
}
