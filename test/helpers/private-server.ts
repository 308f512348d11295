import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ServerAddress } from '../../src/config/settings.js';
import { waitFor } from './wait-for.js';

const KEEPER = fileURLToPath(new URL('./server-keeper.mjs', import.meta.url));
const READY_TIMEOUT_MS = 60_000;
const START_ATTEMPTS = 5;

/** A command with its arguments. */
export interface Command {
  command: string;
  args: string[];
}

/** Further arguments of a server, and where its folder is made. */
export interface ServerPlace extends Pick<ServerRecipe, 'parent'> {
  args?: string[];
}

/** What private-server.ts must know about an engine. */
export interface ServerRecipe {
  scheme: 'postgres' | 'mysql';
  /** The user that the server runs as; undefined: the user of the tests. */
  user?: { uid: number; gid: number };
  /** Where the server's folder is made; default: the system's folder for temporary files. */
  parent?: string;
  /** Commands that make the data folder, in order; `folder` is empty and belongs to the server's user. */
  prepare(folder: string): Command[];
  run(place: { folder: string; port: number }): Command;
  /** Ends the server in order, disconnecting clients. */
  stopSignal: NodeJS.Signals;
  /** Ends the server at once; its data will be thrown away. */
  abandonSignal: NodeJS.Signals;
  /** Connects and disconnects; rejects while the server is not ready. Called after each start. */
  probe(address: ServerAddress): Promise<void>;
}

/** A database server of the test's own, on loopback, with its data in a folder that vanishes with it. */
export interface PrivateServer extends ServerAddress {
  /** `postgres://…` or `mysql://…`, with the password. */
  readonly url: string;
  /** Holds the data and `server.log`. */
  readonly folder: string;
  /** Starts it again after {@link stop} or {@link kill}: the same port, the same data. Resolves when it takes connections. */
  start(): Promise<void>;
  /** Shuts it down in order; clients are disconnected. Resolves when the process is gone. */
  stop(): Promise<void>;
  /** `kill -9`. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Ends the server and removes its folder. Forgetting it is harmless: it happens when the test process ends. */
  dispose(): Promise<void>;
}

/** Name, password and database that every private server is made with. */
export const PRIVATE_LOGIN = { user: 'dropgate', password: 'gate-secret', database: 'dropgate' };

/** Makes a private server and starts it; resolves when it takes connections. */
export async function startPrivateServer(recipe: ServerRecipe): Promise<PrivateServer> {
  const keeper = new Keeper(recipe);
  try {
    const folder = await keeper.ask<string>({ request: 'folder' });
    for (const command of recipe.prepare(folder)) await keeper.ask({ request: 'run', ...command });
    const address: ServerAddress = { host: '127.0.0.1', port: await freePort(), ...PRIVATE_LOGIN };
    const start = () => startUntilReady({ recipe, keeper, folder, address });
    await start();
    return {
      ...address,
      url: urlOf(recipe.scheme, address),
      folder,
      start,
      stop: () => keeper.ask({ request: 'end', signal: recipe.stopSignal }),
      kill: () => keeper.ask({ request: 'end', signal: 'SIGKILL' }),
      dispose: () => keeper.dispose(),
    };
  } catch (error) {
    await keeper.dispose();
    throw error;
  }
}

/** The address as a URL, with the password. */
export function urlOf(scheme: string, { host, port, user, password, database }: ServerAddress): string {
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  return `${scheme}://${login}@${host}:${port}/${encodeURIComponent(database)}`;
}

interface Start {
  recipe: ServerRecipe;
  keeper: Keeper;
  folder: string;
  address: ServerAddress;
}

/**
 * A server may end again right after its start: PostgreSQL refuses its data folder while processes of a killed
 * predecessor still live. So a few attempts are made.
 */
async function startUntilReady({ recipe, keeper, folder, address }: Start): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await keeper.ask({ request: 'start', ...recipe.run({ folder, port: address.port }) });
    const state = await waitFor(
      'the server to take connections or to end',
      () => stateOf({ recipe, keeper, address }),
      {
        timeoutMs: READY_TIMEOUT_MS,
      },
    );
    if (state === 'ready') return;
    if (attempt === START_ATTEMPTS)
      throw new Error(`The server did not start; its log ends with:\n${state.log}`);
  }
}

async function stateOf({ recipe, keeper, address }: Omit<Start, 'folder'>) {
  const { alive, log } = await keeper.ask<{ alive: boolean; log: string }>({ request: 'status' });
  if (!alive) return { log };
  await recipe.probe(address);
  return 'ready' as const;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The parent's end of the channel to server-keeper.mjs. */
class Keeper {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  constructor({ user, parent, abandonSignal }: ServerRecipe) {
    const spec = JSON.stringify({ ...user, parent, abandonSignal });
    // In a process group of its own, so that Ctrl-C reaches the tests and not the keeper.
    this.#process = fork(KEEPER, [spec], {
      detached: true,
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('message', (message) => this.#settle(message as Answer));
    this.#process.on('exit', () => this.#failAll());
    this.#process.unref();
    this.#process.channel?.unref();
  }

  ask<T>(request: Record<string, unknown>): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      if (!this.#process.connected) return reject(new Error('The private server was disposed of'));
      this.#waiting.set(id, { resolve, reject });
      // The channel keeps this process alive only while an answer is due.
      this.#process.channel?.ref();
      this.#process.send({ id, ...request });
    });
  }

  async dispose(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.ref();
    if (this.#process.connected) this.#process.disconnect();
    await exited;
  }

  #settle({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#process.channel?.unref();
    if (error === undefined) waiting?.resolve(value as never);
    else waiting?.reject(new Error(error));
  }

  #failAll(): void {
    for (const { reject } of this.#waiting.values())
      reject(new Error('The keeper of the private server ended'));
    this.#waiting.clear();
  }
}

interface Answer {
  id: number;
  value?: unknown;
  error?: string;
}
