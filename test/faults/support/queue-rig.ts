import fs from 'node:fs';
import path from 'node:path';
import { loadSettings } from '../../../src/config/load-settings.js';
import type { ServerAddress, Settings } from '../../../src/config/settings.js';
import type { Engine } from '../../../src/load/engine.js';
import { openEngine } from '../../../src/load/open-engine.js';
import { type CopyPiece, copyText } from '../../../src/load/parquet-source.js';
import { lookInto } from '../../../src/pipeline/copy-worker.js';
import { LoadQueue } from '../../../src/pipeline/load-queue.js';
import { Observers } from '../../../src/pipeline/observer.js';
import type { ReadyFile } from '../../../src/watch/types.js';
import { tempDir } from '../../helpers/temp-dir.js';
import { waitFor } from '../../helpers/wait-for.js';
import { readyFile, Workshop } from '../../pipeline/workshop.js';
import { FAULT_SCHEMA } from './deliveries.js';
import { credentials } from './targets.js';

/** What a test does while rows are on their way. */
export interface CopyHooks {
  /** The first rows have been handed over. */
  afterFirstRows?(name: string): Promise<void>;
  /** All rows have been handed over; the server may not have them yet. */
  afterLastRows?(name: string): Promise<void>;
}

/** The load queue in this process, with a real server, and with Parquet files that were made before. */
export class QueueRig {
  readonly lines: string[] = [];
  hooks: CopyHooks = {};
  readonly engine: Engine;
  readonly #workshop: Workshop;
  readonly #queue: LoadQueue;
  /** Names of Parquet files that were offered and are not done with. */
  readonly #inHand = new Set<string>();

  private constructor(parts: { workshop: Workshop; engine: Engine; tables: Settings['tables'] }) {
    const { workshop, engine, tables } = parts;
    this.#workshop = workshop;
    this.engine = engine;
    const { settings, ledger, root } = workshop;
    const { folders, datasets } = settings;
    const tell = (level: string) => (message: string) => this.lines.push(`${level} ${message}`);
    const nothing = () => undefined;
    this.#queue = new LoadQueue({
      engine,
      tables,
      datasets,
      identity: 'name_and_content',
      folders,
      ledger,
      log: {
        info: tell('INFO'),
        warning: tell('WARNING'),
        error: tell('ERROR'),
        together: (work) => work(),
        reopen: nothing,
        close: nothing,
      },
      observers: new Observers(),
      root,
      copyTextOf: (paths, { columns }) => {
        const rows = this.#rowsOf(paths, { columns, dialect: engine.dialect });
        return Object.assign(rows, { cancel: nothing });
      },
      areMoreComing: () => false,
      isNaming: () => false,
      lookInto,
      release: (name, retryInMs) => {
        if (retryInMs === undefined) this.#inHand.delete(name);
      },
    });
  }

  static async open(
    address: ServerAddress & { engine: 'postgres' | 'mysql' },
    { tables }: { tables?: string } = {},
  ): Promise<QueueRig> {
    const config = { 'schema.yaml': FAULT_SCHEMA, ...(tables && { 'schema_sql.yaml': tables }) };
    const workshop = await Workshop.open({ config, root: tempDir(), isLoading: true });
    const { root, configDir } = workshop.settings;
    // The workshop loads nothing, and so has no tables.
    fs.writeFileSync(path.join(configDir, 'db_creds.yaml'), credentials(address.engine, address));
    const settings = loadSettings({ root, configDir, env: {} });
    return new QueueRig({ workshop, engine: openEngine(address), tables: settings.tables });
  }

  /** Converts files and offers their Parquet files; names without extension. */
  async offer(files: Record<string, string>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      const published = await this.#workshop.deliver(`${name}.csv`, content);
      if (published.kind !== 'converted') throw new Error(`${name} is ${published.kind}`);
    }
    this.offerParquet(Object.keys(files));
  }

  /** Offers Parquet files that are there, settled; names without extension. */
  offerParquet(names: string[], tickets: (number | undefined)[] = []): void {
    const files = this.#readyFiles(names);
    for (const { name } of files) this.#inHand.add(name);
    this.#queue.offerFound(files.map((file, i) => ({ ...file, ticket: tickets[i] })));
  }

  /** Converts files and offers their Parquet files while they settle, with tickets from 1 on. */
  async offerAhead(files: Record<string, string>): Promise<void> {
    for (const [name, content] of Object.entries(files)) await this.#workshop.deliver(`${name}.csv`, content);
    const ready = this.#readyFiles(Object.keys(files));
    this.#queue.offerAhead(ready.map((file, i) => ({ ...file, ticket: i + 1 })));
  }

  /** Something stirs at files that were offered ahead. */
  loseAhead(tickets: number[]): void {
    this.#queue.loseAhead(tickets);
  }

  #readyFiles(names: string[]): ReadyFile[] {
    const { output } = this.#workshop.settings.folders;
    return names.map((name) => readyFile(path.join(output, `${name}.parquet`)));
  }

  /** What `dropgate run` does first. */
  openQueue(): void {
    this.#queue.open();
  }

  /** Waits until all that was offered is loaded or refused. */
  async settled(timeoutMs = 60_000): Promise<void> {
    await waitFor('the queue to be empty', () => this.#inHand.size === 0, { timeoutMs }).catch((error) => {
      throw new Error(`${error.message}\n${this.lines.join('\n')}`);
    });
  }

  /** Waits until so many files wait or are being loaded. */
  async waits(count: number): Promise<void> {
    await waitFor(`${count} files in the queue`, () => this.#queue.waiting === count);
  }

  async told(pattern: RegExp, timeoutMs = 60_000): Promise<void> {
    const isTold = () => this.lines.some((line) => pattern.test(line));
    await waitFor(String(pattern), isTold, { timeoutMs }).catch((error) => {
      throw new Error(`${error.message}\n${this.lines.join('\n')}`);
    });
  }

  count(pattern: RegExp): number {
    return this.lines.filter((line) => pattern.test(line)).length;
  }

  /** Where the Parquet file of this name, without extension, lies until it is put aside. */
  pathOf(name: string): string {
    return path.join(this.#workshop.settings.folders.output, `${name}.parquet`);
  }

  /** Names in the folder for Parquet files that no retry can load. */
  parked(): string[] {
    return fs.readdirSync(this.#workshop.settings.folders.outputFailed).sort();
  }

  report(name: string): { code: string; message: string } {
    const { outputFailed } = this.#workshop.settings.folders;
    return JSON.parse(fs.readFileSync(path.join(outputFailed, `${name}.report.json`), 'utf8'));
  }

  states(): Record<string, number> {
    return this.#workshop.ledger.summary().byState;
  }

  async close(): Promise<void> {
    await this.#queue.stop();
    await this.engine.close();
    this.#workshop.close();
  }

  async *#rowsOf(
    paths: string[],
    options: Omit<Parameters<typeof copyText>[0], 'paths'>,
  ): AsyncGenerator<CopyPiece> {
    for (const file of paths) {
      const name = path.basename(file, '.parquet');
      let isFirst = true;
      const ends: string[] = [];
      for await (const { bytes, ended } of copyText({ paths: [file], ...options })) {
        yield { bytes, ended: [] };
        ends.push(...ended);
        if (isFirst) await this.hooks.afterFirstRows?.(name);
        isFirst = false;
      }
      await this.hooks.afterLastRows?.(name);
      yield { bytes: new Uint8Array(0), ended: ends };
    }
  }
}
