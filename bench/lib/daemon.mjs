import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { diesWithUs } from './dies-with-us.mjs';
import { LogTail } from './log-tail.mjs';
import { cpuTimeMs } from './process-tree.mjs';

/** How often the folders are looked at while the daemon works. */
const POLL_MS = 5;
const RESULT_FOLDERS = ['output_parquet', 'input_csv/archived', 'input_csv/output_failed'];
/** How pm2 starts the program; systemd gives it the same variables. */
const [SERVICE] = createRequire(import.meta.url)('../../ecosystem.config.cjs').apps;
const START_TIMEOUT_MS = 60_000;
/** The web pages are served as they are by default, but on a port that nobody else has. */
const ANY_PORT = 'server: { port: 0 }\n';
/** What `dropgate run` prints when it is ready. */
const READY = 'Drop CSV files into';

/**
 * The built program, running in a folder of its own and measured from outside.
 *
 * @typedef {object} DaemonOptions
 * @property {string} dist folder of the built program
 * @property {string} root folder to run in; emptied first
 * @property {import('./datasets.mjs').Dataset} dataset
 * @property {string} [program] dropgate.yaml
 * @property {string} [database] db_creds.yaml; without it nothing is loaded
 * @property {string[]} [nodeArgs] options of node itself, such as `--cpu-prof`
 * @property {Record<string, string>} [env] variables beside those of this process; those of a service unless it says otherwise
 * @property {string} [rules] further keys of the data set in schema.yaml, such as `duplicates: keep`
 */
export class Daemon {
  #options;
  #child;
  #tail;
  /** Milliseconds from the start of the process to its being ready. */
  startMs;

  /** @param {DaemonOptions} options */
  static async start(options) {
    rmSync(options.root, { recursive: true, force: true });
    writeConfig(options);
    const daemon = new Daemon(options);
    await daemon.#spawn();
    return daemon;
  }

  constructor(options) {
    this.#options = options;
    this.#tail = new LogTail(path.join(options.root, 'conversion_log.txt'));
  }

  get pid() {
    return this.#child.pid;
  }

  get log() {
    return readFileSync(path.join(this.#options.root, 'conversion_log.txt'), 'utf8');
  }

  path(...parts) {
    return path.join(this.#options.root, ...parts);
  }

  /**
   * Renames files, which must lie on the same disk, into the input folder and waits until every original has been
   * archived, which happens after the Parquet file has been synced and renamed.
   * @param {{ from: string, name: string }[]} files
   * @returns wall and CPU time in milliseconds, from the first rename
   */
  async convert(files) {
    const cpuBefore = cpuTimeMs(this.pid);
    const startedAt = performance.now();
    for (const { from, name } of files) renameSync(from, this.path('input_csv', name));
    // Files are taken in order: as long as the last one is there, nobody needs to list a thousand names every 5 ms.
    const last = this.path('input_csv', files.at(-1).name);
    await this.until(() => !existsSync(last) && dataFilesIn(this.path('input_csv')) === 0);
    const ms = performance.now() - startedAt;
    const cpuMs = cpuTimeMs(this.pid) - cpuBefore;
    const made = dataFilesIn(this.path('output_parquet'));
    if (made !== files.length) {
      throw new Error(
        `${made} Parquet files of ${files.length} CSV files; see ${this.path('conversion_log.txt')}`,
      );
    }
    return { ms, cpuMs };
  }

  /**
   * Renames files into a folder and waits until the log has told as many new events.
   * @param {{ files: { from: string, name: string }[], folder: string, event: string }} work event: `Converted`, `Loaded`
   * @returns wall and CPU time in milliseconds, from the first rename
   */
  async take({ files, folder, event }) {
    const wanted = this.logged(event) + files.length;
    const cpuBefore = cpuTimeMs(this.pid);
    const startedAt = performance.now();
    for (const { from, name } of files) renameSync(from, this.path(folder, name));
    await this.until(() => this.logged(event) >= wanted);
    return { ms: performance.now() - startedAt, cpuMs: cpuTimeMs(this.pid) - cpuBefore };
  }

  /** How many lines of the log have told of an event so far. @throws when one told of an error */
  logged(event) {
    const count = this.#tail.count(event);
    if (this.#tail.firstError) throw new Error(`the daemon logged: ${this.#tail.firstError}`);
    return count;
  }

  /** Waits for a condition; fails when the daemon ends. */
  async until(condition, pollMs = POLL_MS) {
    while (!condition()) {
      if (this.#child.exitCode !== null)
        throw new Error(`the daemon ended; see ${this.path('conversion_log.txt')}`);
      await pause(pollMs);
    }
  }

  /**
   * Moves what a round left into a folder of its own. Nothing is deleted before the end: ext4 without a journal does not
   * use the inodes of deleted files again for some seconds and looks at each of them whenever a file is created.
   */
  putAside(label) {
    const folder = this.path('rounds', String(label));
    for (const from of RESULT_FOLDERS) {
      mkdirSync(path.join(folder, from), { recursive: true });
      for (const name of readdirSync(this.path(from)))
        renameSync(this.path(from, name), path.join(folder, from, name));
    }
  }

  async stop() {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  /** Starts the program again in the same folder. */
  async restart() {
    await this.stop();
    await this.#spawn();
  }

  async #spawn() {
    const { dist, root, nodeArgs = [], env = SERVICE.env } = this.#options;
    const startedAt = performance.now();
    this.#child = spawn(process.execPath, [...nodeArgs, path.join(dist, 'main.js'), 'run', '--root', root], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    diesWithUs(this.#child);
    let said = '';
    const isReady = new Promise((resolve) => {
      this.#child.stderr.setEncoding('utf8').on('data', (text) => {
        if (said.length < 10_000) said += text;
        if (said.includes(READY)) resolve(true);
      });
    });
    const ended = once(this.#child, 'exit').then(() => false);
    const timeout = pause(START_TIMEOUT_MS, false, { ref: false });
    if (!(await Promise.race([isReady, ended, timeout])))
      throw new Error(`the daemon does not start:\n${said}`);
    this.startMs = performance.now() - startedAt;
  }
}

function writeConfig({ root, dataset, program = '', database = 'database: { engine: none }', rules = '' }) {
  mkdirSync(path.join(root, 'config'), { recursive: true });
  mkdirSync(path.join(root, 'input_csv'));
  const columns = dataset.columns.map(({ name, type }) => `    ${name}: ${type}\n`).join('');
  const schema = `${dataset.name}:\n  files: "*"\n${rules && `  ${rules}\n`}  columns:\n${columns}`;
  writeFileSync(path.join(root, 'config', 'schema.yaml'), schema);
  writeFileSync(path.join(root, 'config', 'dropgate.yaml'), ANY_PORT + program);
  writeFileSync(path.join(root, 'config', 'db_creds.yaml'), database);
}

function dataFilesIn(folder) {
  return readdirSync(folder).filter((name) => /\.(csv|parquet)$/.test(name) && !name.startsWith('.')).length;
}
