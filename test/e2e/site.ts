import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../helpers/real-data.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

const MAIN = path.join(repositoryRoot, 'dist/main.js');

/** What a finished command left. */
export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A running `dropgate run`. */
export interface RunningDaemon {
  pid: number;
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Finished>;
  finished: Promise<Finished>;
}

/** Daemons that run side by side would quarrel about the port; a test of the pages asks for one. */
const NO_SERVER = { 'dropgate.yaml': 'server: { enabled: false }\n' };

/** A root folder of a test's own, with the shipped configuration and whatever the test writes over it. */
export class Site {
  readonly root = tempDir();
  readonly #running: ChildProcess[] = [];

  constructor(config: Record<string, string> = {}) {
    cpSync(path.join(repositoryRoot, 'config'), path.join(this.root, 'config'), { recursive: true });
    cpSync(path.join(repositoryRoot, 'sql'), path.join(this.root, 'sql'), { recursive: true });
    mkdirSync(path.join(this.root, 'input_csv'));
    for (const [name, text] of Object.entries({ ...NO_SERVER, ...config }))
      writeFileSync(path.join(this.root, 'config', name), text);
  }

  /** Absolute path below the root. */
  path(...parts: string[]): string {
    return path.join(this.root, ...parts);
  }

  /** Writes a file into `input_csv` in one go. */
  drop(name: string, content: string | Uint8Array): void {
    writeFileSync(this.path('input_csv', name), content);
  }

  /** Names in a folder below the root that are no dotfiles, sorted; none where it is missing. */
  list(folder: string): string[] {
    const full = this.path(folder);
    if (!existsSync(full)) return [];
    return readdirSync(full)
      .filter((name) => !name.startsWith('.'))
      .sort();
  }

  /** The text of conversion_log.txt. */
  log(): string {
    const file = this.path('conversion_log.txt');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Waits for a text or pattern in the log. */
  async logged(what: string | RegExp, timeoutMs = 30_000): Promise<string> {
    const found = () => (typeof what === 'string' ? this.log().includes(what) : what.test(this.log()));
    await waitFor(`${what} in the log of ${this.root}`, found, { timeoutMs }).catch((error: Error) => {
      throw new Error(`${error.message}\nlog:\n${this.log().slice(-4000)}`);
    });
    return this.log();
  }

  /** The address of the pages that its daemon serves. */
  async pagesUrl(): Promise<string> {
    return /The pages are at (\S+)/.exec(await this.logged('The pages are at'))![1];
  }

  report(file: string): {
    code: string;
    message: string;
    violations: { line: number; column: string; code: string }[];
  } {
    return JSON.parse(readFileSync(this.path(`${file}.report.json`), 'utf8'));
  }

  /** The answer of `dropgate query` as objects. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const { code, stdout, stderr } = await this.run('query', sql, '--format', 'json');
    if (code !== 0) throw new Error(`dropgate query ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Finished> {
    return this.#spawn(args).finished;
  }

  /** Starts the daemon and waits until it watches. */
  async start(env: Record<string, string> = {}): Promise<RunningDaemon> {
    const before = this.log().length;
    const { child, finished } = this.#spawn(['run'], env);
    const isUp = () => this.log().slice(before).includes('watches input_csv') || child.exitCode !== null;
    await waitFor('the daemon to watch', isUp, { timeoutMs: 30_000 });
    if (child.exitCode !== null) throw new Error(`the daemon ended: ${(await finished).stderr}`);
    return {
      pid: child.pid!,
      finished,
      end: (signal = 'SIGTERM') => {
        child.kill(signal);
        return finished;
      },
    };
  }

  /** Ends what is still running. */
  async close(): Promise<void> {
    await Promise.all(
      this.#running.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await new Promise((resolve) => child.once('exit', resolve));
      }),
    );
  }

  #spawn(
    args: string[],
    env: Record<string, string> = {},
  ): { child: ChildProcess; finished: Promise<Finished> } {
    const child = spawn(process.execPath, [MAIN, ...args, '--root', this.root], {
      cwd: this.root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.push(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    const finished = new Promise<Finished>((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, ...output }));
    });
    return { child, finished };
  }
}
