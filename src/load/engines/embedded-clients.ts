import type { Socket } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketHandler } from '@electric-sql/pglite-socket';
import { formatDuration } from '../../base/text.js';
import { errorResponse, withoutCopyIn } from './pg-wire.js';
import type { SessionGate } from './session-gate.js';

/** Types of frontend messages, from the Postgres manual, "Message Formats". */
const QUERY = 'Q'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const TERMINATE = 'X'.charCodeAt(0);
/** The first message has no type; its length begins with 0. */
const STARTUP = 0;
const SYNC_MESSAGE = Uint8Array.of(SYNC, 0, 0, 0, 4);
const IDLE_IN_TRANSACTION = '25P03';

export interface ClientsOptions {
  db: PGlite;
  gate: SessionGate;
  /** Answer to a client's first message, so that it need not wait for a load to say hello. */
  greeting: Uint8Array;
  idleInTransactionMs: number;
  onNotice: (text: string) => void;
  /** Told before and after each statement, which blocks the thread. */
  onBusy: (busy: boolean) => void;
  /** PGlite failed as a program, not a statement; its memory can no longer be trusted. */
  onCrash: (error: unknown) => void;
}

type SendBytes = (bytes: Uint8Array) => void;

/** A client of the socket. */
interface Client {
  handler: PGLiteSocketHandler;
  /** Messages are executed one after the other. */
  last: Promise<unknown>;
  /** Writes to the client's socket; set when it has sent its first statement. */
  send: SendBytes | undefined;
  idleTimer: NodeJS.Timeout | undefined;
  gone: boolean;
}

/**
 * The clients of the embedded database's socket. PGlite has one session for all, so a client that has begun a
 * transaction or a sequence of messages keeps the session until it has finished it. (PGLiteSocketServer mixes the
 * sequences of its clients with each other and with loads, so only its handler of the wire protocol is used, with this
 * class in place of its query queue.)
 */
export class EmbeddedClients {
  readonly #options: ClientsOptions;
  readonly #clients = new Map<number, Client>();

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  async accept(socket: Socket): Promise<void> {
    // The declared type is the class of the query queue itself, with private members.
    const queryQueue = this as never;
    const handler = new PGLiteSocketHandler({ queryQueue, closeOnDetach: true });
    this.#clients.set(handler.handlerId, {
      handler,
      last: Promise.resolve(),
      send: undefined,
      idleTimer: undefined,
      gone: false,
    });
    await handler.attach(socket);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#clients.values()].map(({ handler }) => handler.detach(true)));
  }

  /** Called by the handler with each message. Returns the number of bytes answered. */
  async enqueue(handlerId: number, message: Uint8Array, send: SendBytes): Promise<number> {
    const client = this.#clients.get(handlerId);
    if (!client) throw new Error('the client has gone');
    if (message[0] === STARTUP) {
      send(this.#options.greeting);
      return this.#options.greeting.length;
    }
    if (message[0] === TERMINATE) return 0;
    client.send = send;
    const turn = client.last.then(() => this.#execute(client, message));
    client.last = turn.catch(() => {});
    return turn;
  }

  /** Called by the handler when its socket has gone: its messages in the queue are not executed any more. */
  clearQueueForHandler(handlerId: number): void {
    const client = this.#clients.get(handlerId);
    if (client) client.gone = true;
  }

  /** Called by the handler when its socket has gone. */
  async clearTransactionIfNeeded(handlerId: number): Promise<void> {
    const client = this.#clients.get(handlerId);
    if (!client) return;
    this.#clients.delete(handlerId);
    clearTimeout(client.idleTimer);
    await client.last;
    if (this.#options.gate.holds(client)) await this.#giveUpSession(client);
    await this.#forgetSessionState(client);
  }

  /** Gives idle clients that keep the session a bounded time. Called when somebody begins to wait. */
  watchIdle(): void {
    for (const client of this.#clients.values()) this.#armIdleTimer(client);
  }

  async #execute(client: Client, message: Uint8Array): Promise<number> {
    const { db, gate } = this.#options;
    clearTimeout(client.idleTimer);
    client.idleTimer = undefined;
    await gate.acquire(client);
    if (client.gone) throw new Error('the client has gone');
    const answered = await this.#send(client, message);
    if (endsSequence(message) && !db.isInTransaction()) gate.release(client);
    else if (gate.contended) this.#armIdleTimer(client);
    return answered;
  }

  async #send(client: Client, message: Uint8Array): Promise<number> {
    const { db, onBusy, onCrash } = this.#options;
    let answered = 0;
    const onRawData = (bytes: Uint8Array) => {
      answered += bytes.length;
      client.send?.(bytes);
    };
    onBusy(true);
    // Errors of statements are answers, not exceptions.
    await db.execProtocolRawStream(withoutCopyIn(message), { onRawData }).catch(onCrash);
    onBusy(false);
    return answered;
  }

  #armIdleTimer(client: Client): void {
    const { gate, idleInTransactionMs } = this.#options;
    if (client.idleTimer || !gate.holds(client)) return;
    client.idleTimer = setTimeout(() => this.#evict(client), idleInTransactionMs);
  }

  /** As Postgres does at idle_in_transaction_session_timeout: a client whose transaction is gone must not go on unaware. */
  async #evict(client: Client): Promise<void> {
    const { gate, idleInTransactionMs, onNotice } = this.#options;
    if (!gate.holds(client) || !gate.contended) return;
    const waited = formatDuration(idleInTransactionMs);
    const message = `terminating connection: its transaction was idle for ${waited} while others waited`;
    client.send?.(errorResponse({ severity: 'FATAL', code: IDLE_IN_TRANSACTION, message }));
    onNotice(
      `A client of the embedded database left its transaction open for ${waited} while others waited; it was rolled back and disconnected.`,
    );
    await client.handler.detach(true);
  }

  async #giveUpSession(client: Client): Promise<void> {
    const { db, gate } = this.#options;
    try {
      // Ends a half-sent sequence; after an error Postgres ignores everything up to it.
      await db.execProtocolRawStream(SYNC_MESSAGE, { onRawData: () => {} });
      if (db.isInTransaction()) await db.exec('ROLLBACK');
    } finally {
      gate.release(client);
    }
  }

  /** Settings, prepared statements and temporary tables of a client would stay for the next one. Those that are at work share them. */
  async #forgetSessionState(user: Client): Promise<void> {
    const { db, gate } = this.#options;
    await gate.acquire(user);
    try {
      const othersAtWork = [...this.#clients.values()].some(({ send }) => send !== undefined);
      if (!othersAtWork && db.ready) await db.exec('DISCARD ALL');
    } finally {
      gate.release(user);
    }
  }
}

function endsSequence(message: Uint8Array): boolean {
  return message[0] === QUERY || message[0] === SYNC;
}
