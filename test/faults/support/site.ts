import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../helpers/real-data.js';
import { tempDir } from '../../helpers/temp-dir.js';
import { waitFor } from '../../helpers/wait-for.js';
import { FAULT_SCHEMA } from './deliveries.js';

/** The built program; DROPGATE_FAULT_MAIN names another build of it. */
export const MAIN = process.env.DROPGATE_FAULT_MAIN ?? path.join(repositoryRoot, 'dist/main.js');

export interface SiteOptions {
  /** The root folder, when it is not to be a new temporary one. */
  root?: string;
  /** Content of db_creds.yaml. */
  database?: string;
  schema?: string;
  /** Lines of dropgate.yaml beside those of a site. */
  settings?: string;
  /** How long a file must stand still; default 30. */
  settleMs?: number;
  /** Content of schema_sql.yaml. */
  tables?: string;
}

export interface SpawnOptions {
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
  /** A shell command that runs before the program in the same process, such as `ulimit -n 30`. */
  before?: string;
}

/** A running command. */
export interface Running {
  pid: number;
  child: ChildProcess;
  /** What it wrote to standard error so far. */
  stderr(): string;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
  ended: Promise<Ended>;
  isRunning(): boolean;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A root folder on which the program is started, stopped and killed. */
export class FaultSite {
  readonly root: string;
  readonly #children = new Set<ChildProcess>();

  constructor({ root, database, schema, settings, settleMs = 30, tables }: SiteOptions = {}) {
    this.root = root ?? tempDir();
    mkdirSync(this.path('config'), { recursive: true });
    mkdirSync(this.path('input_csv'), { recursive: true });
    this.configure('schema.yaml', schema ?? FAULT_SCHEMA);
    this.configure(
      'dropgate.yaml',
      `settle_ms: ${settleMs}\nworkers: 2\nserver: { enabled: false }\n${settings ?? ''}`,
    );
    this.configure('db_creds.yaml', database ?? 'database: { engine: none }\n');
    if (tables !== undefined) this.configure('schema_sql.yaml', tables);
  }

  configure(name: string, text: string): void {
    writeFileSync(this.path('config', name), text);
  }

  /** Absolute path below the root. */
  path(...parts: string[]): string {
    return path.join(this.root, ...parts);
  }

  /** Puts a whole file into `input_csv` at once, as a sender does who renames into place. */
  drop(name: string, content: string | Uint8Array): void {
    const unfinished = this.path('input_csv', `.${process.pid}.part`);
    writeFileSync(unfinished, content);
    renameSync(unfinished, this.path('input_csv', name));
  }

  /** Names of the plain files in a folder below the root, sorted; none where it is missing. */
  files(folder: string): string[] {
    if (!existsSync(this.path(folder))) return [];
    const entries = readdirSync(this.path(folder), { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  }

  /** Files that wait in `input_csv`. */
  waiting(): string[] {
    return this.files('input_csv').filter((name) => !name.startsWith('.'));
  }

  /** The text of conversion_log.txt. */
  log(): string {
    const file = this.path('conversion_log.txt');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Waits for a text or pattern in the log behind its first `from` characters. */
  async logged(what: string | RegExp, { from = 0, timeoutMs = 30_000 } = {}): Promise<string> {
    const tail = () => this.log().slice(from);
    const isThere = () => (typeof what === 'string' ? tail().includes(what) : what.test(tail()));
    await waitFor(`${what} in the log of ${this.root}`, isThere, { timeoutMs }).catch((error: Error) => {
      throw new Error(`${error.message}\nlog:\n${tail().slice(-4000)}`);
    });
    return tail();
  }

  /** Begins a command. */
  spawn(args: string[], options: SpawnOptions = {}): Running {
    const program = [process.execPath, MAIN, ...args, '--root', this.root];
    const [command, rest] =
      options.before === undefined
        ? [program[0], program.slice(1)]
        : ['/bin/bash', ['-c', `${options.before}; exec "$@"`, 'bash', ...program]];
    const child = spawn(command, rest, {
      cwd: this.root,
      env: { ...process.env, NODE_OPTIONS: '', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      uid: options.uid,
      gid: options.gid,
    });
    this.#children.add(child);
    return this.#follow(child);
  }

  /** Runs a command to its end. */
  run(args: string[], options: SpawnOptions = {}): Promise<Ended> {
    return this.spawn(args, options).ended;
  }

  /** Starts the daemon and waits until it watches. */
  async start(options: SpawnOptions = {}): Promise<Running> {
    const daemon = this.spawn(['run'], options);
    const isUp = () => daemon.stderr().includes(' watches ') || !daemon.isRunning();
    await waitFor('the daemon to watch', isUp, { timeoutMs: 60_000 });
    if (!daemon.isRunning()) throw new Error(`the daemon ended: ${daemon.stderr()}`);
    return daemon;
  }

  /** Kills what still runs. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }

  #follow(child: ChildProcess): Running {
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]!.setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
      });
    }
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code, signal) => {
        this.#children.delete(child);
        resolve({ code, signal, ...output });
      });
    });
    return {
      pid: child.pid!,
      child,
      stderr: () => output.stderr,
      end: (signal) => {
        child.kill(signal);
        return ended;
      },
      ended,
      isRunning: () => child.exitCode === null && child.signalCode === null,
    };
  }
}
