import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { PGlite, type Results } from '@electric-sql/pglite';
import { messageOf } from '../../base/errors.js';
import type { QueryResult, SqlRow, SqlValue } from '../engine.js';
import { isCursorable } from '../read-only.js';
import { EMBEDDED_LOGIN, socketPath } from './embedded-address.js';
import { EmbeddedClients } from './embedded-clients.js';
import {
  COPY_FILE,
  type EmbeddedError,
  type EmbeddedRequest,
  type EmbeddedWorkerData,
} from './embedded-protocol.js';
import { pgParser } from './pg-values.js';
import { startupMessage } from './pg-wire.js';
import { readBounded } from './pglite-bounded-query.js';
import { SessionGate } from './session-gate.js';

const MAX_CLIENTS = 32;

/** Clients of the socket share the session and may have changed its settings. */
const TRANSACTION_SETTINGS = [
  'SET LOCAL search_path TO public',
  `SET LOCAL TIME ZONE 'UTC'`,
  `SET LOCAL DateStyle = 'ISO, YMD'`,
  `SET LOCAL IntervalStyle = 'postgres'`,
  'SET LOCAL standard_conforming_strings = on',
].join('; ');

/** What the host tells while it works. */
export interface HostListener {
  onNotice: (text: string) => void;
  /** Told before and after each statement of a client. */
  onBusy: (busy: boolean) => void;
}

/** PGlite, its socket server, and the gate between the two. Lives in the worker. */
export class EmbeddedHost {
  readonly #db: PGlite;
  readonly #gate: SessionGate;
  readonly #clients: EmbeddedClients;
  readonly #server: Server;
  readonly #socketPath: string;
  /** The engine's transaction, as a user of the gate. */
  #transaction: object | undefined;

  private constructor(parts: {
    db: PGlite;
    gate: SessionGate;
    clients: EmbeddedClients;
    socketPath: string;
  }) {
    this.#db = parts.db;
    this.#gate = parts.gate;
    this.#clients = parts.clients;
    this.#socketPath = parts.socketPath;
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      void this.#clients.accept(socket);
    });
    this.#server.maxConnections = MAX_CLIENTS;
  }

  /** Opens the data, creating it when missing, and listens. */
  static async open(options: EmbeddedWorkerData, listener: HostListener): Promise<EmbeddedHost> {
    await createData(options.dataDir);
    const db = await openData(options.dataDir);
    const gate = new SessionGate(() => clients.watchIdle());
    const { idleInTransactionMs } = options;
    const greeting = await greet(db);
    const clients = new EmbeddedClients({ db, gate, greeting, idleInTransactionMs, onCrash, ...listener });
    const host = new EmbeddedHost({ db, gate, clients, socketPath: socketPath(options.socketDir) });
    await host.#listen(options.socketDir).catch((error) => {
      listener.onNotice(
        `Other programs cannot reach the embedded database: its socket failed (${messageOf(error)}).`,
      );
    });
    return host;
  }

  /** Carries out one request of the engine. */
  async handle(request: EmbeddedRequest): Promise<unknown> {
    switch (request.kind) {
      case 'begin':
        return this.#begin(request.mode);
      case 'commit':
      case 'rollback':
        return this.#end(request.kind);
      case 'query':
        return (await this.#db.query<SqlRow>(request.sql, request.params)).rows;
      case 'execute':
        return affected(await this.#db.query(request.sql, request.params));
      case 'copy':
        return this.#copy(request);
      case 'read':
        return this.#read(request);
      case 'close':
        return this.#close();
    }
  }

  /** What to tell the engine of an error; `fatal` when the database can no longer be trusted. */
  describe(error: unknown): { error: EmbeddedError; fatal: boolean } {
    const { code, severity, detail, hint, where, position } = error as EmbeddedError;
    const fatal = code === undefined || severity === 'FATAL' || severity === 'PANIC';
    return { error: { message: messageOf(error), code, severity, detail, hint, where, position }, fatal };
  }

  async #begin(mode: 'READ WRITE' | 'READ ONLY'): Promise<void> {
    const transaction = {};
    await this.#gate.acquire(transaction);
    this.#transaction = transaction;
    await this.#db.exec(`BEGIN ${mode}; ${TRANSACTION_SETTINGS}`);
  }

  async #end(how: 'commit' | 'rollback'): Promise<void> {
    const transaction = this.#transaction;
    if (!transaction) throw new Error(`${how} without a transaction`);
    try {
      const [{ command }] = await this.#db.exec(how);
      // Postgres answers COMMIT with ROLLBACK, without an error, when a statement had failed.
      if (command?.toLowerCase() !== how) {
        throw Object.assign(new Error('the transaction was rolled back because a statement failed'), {
          code: '25P02',
        });
      }
    } finally {
      this.#transaction = undefined;
      this.#gate.release(transaction);
    }
  }

  /** PGlite's own device for bulk data is read byte by byte, in JavaScript: a tenth of the time that it takes to load. */
  async #copy({ sql, bytes }: EmbeddedRequest & { kind: 'copy' }): Promise<number> {
    const { FS } = this.#db.Module;
    // `canOwn`: the bytes become the file, without being copied.
    FS.writeFile(COPY_FILE, bytes, { canOwn: true } as object);
    try {
      return affected(await this.#db.query(sql));
    } finally {
      FS.unlink(COPY_FILE);
    }
  }

  async #read({ sql, params, bounds }: EmbeddedRequest & { kind: 'read' }): Promise<QueryResult> {
    if (bounds && isCursorable(sql)) return readBounded(this.#db, { sql, params, bounds });
    const { fields, rows } = await this.#db.query<SqlValue[]>(sql, params, { rowMode: 'array' });
    return { columns: fields.map(({ name }) => name), rows };
  }

  async #listen(socketDir: string): Promise<void> {
    mkdirSync(socketDir, { recursive: true, mode: 0o700 });
    chmodSync(socketDir, 0o700);
    // Nobody listens there: only the owner of the data folder gets here. A killed owner leaves its socket behind.
    rmSync(this.#socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#socketPath, resolve);
    });
    this.#server.on('error', () => {});
    chmodSync(this.#socketPath, 0o600);
  }

  async #close(): Promise<void> {
    this.#server.close();
    await this.#clients.closeAll();
    await this.#db.close();
  }
}

/**
 * Creates the data folder in one step: initdb takes seconds, and a folder that it left half done when the process was
 * killed could never be opened.
 */
async function createData(dataDir: string): Promise<void> {
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) return;
  const unfinished = `${dataDir}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const db = await createPGlite(unfinished);
  await db.close();
  renameSync(unfinished, dataDir);
}

/** PGlite itself only says that it failed; why, Postgres wrote to its log. */
async function createPGlite(dataDir: string): Promise<PGlite> {
  const reasons: string[] = [];
  let isOpening = true;
  const onStderr = (line: string) => {
    if (isOpening && /\b(?:FATAL|PANIC|ERROR|HINT):/.test(line)) reasons.push(line);
    return true;
  };
  try {
    return await PGlite.create(dataDir, { onStderr });
  } catch (error) {
    throw new Error([messageOf(error), ...reasons.slice(-3)].join('; '), { cause: error });
  } finally {
    isOpening = false;
  }
}

async function openData(dataDir: string): Promise<PGlite> {
  // The caller holds the folder, so this lock is a remnant. Postgres refuses one that is empty, as it is when the process
  // was killed between creating and writing it, for ever.
  rmSync(path.join(dataDir, 'postmaster.pid'), { force: true });
  const db = await createPGlite(dataDir);
  // A proxy, since PGlite has its own parsers for the types that are not named.
  db.parsers = new Proxy({}, { get: (_, oid) => pgParser(Number(String(oid))) });
  return db;
}

/** PGlite's answer to a client that says hello, which is the same for all. */
async function greet(db: PGlite): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const hello = startupMessage(EMBEDDED_LOGIN);
  await db.execProtocolRawStream(hello, { onRawData: (bytes) => parts.push(bytes.slice()) });
  return Uint8Array.from(Buffer.concat(parts));
}

/** @throws when PGlite gave no result, which it does when its WebAssembly trapped */
function affected({ affectedRows }: Results): number {
  if (affectedRows === undefined) throw new Error('the embedded database gave no answer');
  return affectedRows;
}

/** Ends the thread; the engine notices and starts a new one. */
function onCrash(error: unknown): never {
  setImmediate(() => {
    throw error;
  });
  throw error;
}
