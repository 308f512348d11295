import fs from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { sweepTempFiles } from '../../src/base/files.js';
import type { SqlType } from '../../src/base/sql-type.js';
import { loadSettings } from '../../src/config/load-settings.js';
import type { Settings } from '../../src/config/settings.js';
import { Ledger } from '../../src/ledger/ledger.js';
import type { ConvertContext } from '../../src/pipeline/convert-context.js';
import { type ConvertResult, convertFile } from '../../src/pipeline/convert-file.js';
import { openContext } from '../../src/pipeline/convert-worker.js';
import { Originals } from '../../src/pipeline/originals.js';
import { type Published, Publisher } from '../../src/pipeline/publish.js';
import { isIgnoredName } from '../../src/watch/names.js';
import type { ReadyFile } from '../../src/watch/types.js';
import { tempDir } from '../helpers/temp-dir.js';
import type { TestValue } from '../write/tables.js';

/** Configuration files by name; `db_creds.yaml` always says that nothing is loaded. */
export type ConfigFiles = Record<string, string>;

export interface WorkshopOptions {
  /** Content of configuration files; a plain text is `schema.yaml`. */
  config: string | ConfigFiles;
  /** Default: a folder of its own. */
  root?: string;
  /** Converted files are to be loaded, by somebody else. */
  isLoading?: boolean;
}

const silent = () => undefined;
const together = (work: () => void) => work();
/** A log that keeps nothing. */
export const SILENT = {
  info: silent,
  warning: silent,
  error: silent,
  together,
  reopen: silent,
  close: silent,
};

/** A root folder with everything that converts and publishes files, in this process. */
export class Workshop {
  readonly root: string;
  readonly settings: Settings;
  readonly context: ConvertContext;
  ledger: Ledger;
  publisher: Publisher;
  readonly #isLoading: boolean;

  private constructor(parts: Pick<Workshop, 'root' | 'settings' | 'context'> & { isLoading: boolean }) {
    this.root = parts.root;
    this.settings = parts.settings;
    this.context = parts.context;
    this.#isLoading = parts.isLoading;
    this.ledger = this.#openLedger();
    this.publisher = this.#openPublisher();
  }

  static async open({ config, root = tempDir(), isLoading = false }: WorkshopOptions): Promise<Workshop> {
    const configDir = path.join(root, 'config');
    fs.mkdirSync(configDir, { recursive: true });
    const files = typeof config === 'string' ? { 'schema.yaml': config } : config;
    const all = { ...files, 'db_creds.yaml': 'database: { engine: none }\n' };
    for (const [name, content] of Object.entries(all)) fs.writeFileSync(path.join(configDir, name), content);
    const settings = loadSettings({ root, configDir, env: {} });
    const { input, archive, failed, output, outputFailed } = settings.folders;
    for (const folder of [input, archive, failed, output, outputFailed])
      fs.mkdirSync(folder, { recursive: true });
    return new Workshop({ root, settings, context: await contextOf(settings), isLoading });
  }

  /** Forgets what a killed process would: what is left is what lies on the disk. Then does what every start does. */
  async restart(): Promise<void> {
    this.ledger.close();
    this.ledger = this.#openLedger();
    this.publisher = this.#openPublisher();
    const { output, outputFailed, failed, archive } = this.settings.folders;
    for (const folder of [output, outputFailed, failed, archive]) await sweepTempFiles(folder);
    await this.#openOriginals().recover();
  }

  /** Takes everything that lies in the input folder, in the order of names. */
  takeAll(): Promise<Published[]> {
    const { input } = this.settings.folders;
    const entries = fs.readdirSync(input, { withFileTypes: true }).filter((entry) => entry.isFile());
    const names = entries.map(({ name }) => name).filter((name) => !isIgnoredName(name));
    return this.take(names.sort().map((name) => readyFile(path.join(input, name))));
  }

  #openLedger(): Ledger {
    return Ledger.open(path.join(this.settings.folders.state, 'ledger.db'), (reason) => {
      throw new Error(`the ledger was begun anew: ${reason}`);
    });
  }

  #openPublisher(): Publisher {
    const { folders, intake } = this.settings;
    const { ledger } = this;
    const originals = this.#openOriginals();
    return new Publisher({
      folders,
      originals,
      identity: intake.identity,
      isLoading: this.#isLoading,
      ledger,
    });
  }

  #openOriginals(): Originals {
    const { folders, intake } = this.settings;
    const { ledger, root } = this;
    return new Originals({ folders, keep: intake.originals, hasMarkers: false, ledger, log: SILENT, root });
  }

  /** Puts a file into the input folder; it looks as if it had stood there for a minute. */
  drop(name: string, content: string | Uint8Array): ReadyFile {
    const file = path.join(this.settings.folders.input, name);
    fs.writeFileSync(file, content);
    const minuteAgo = new Date(Date.now() - 60_000);
    fs.utimesSync(file, minuteAgo, minuteAgo);
    return readyFile(file);
  }

  convert(file: { name: string; path: string }): Promise<ConvertResult> {
    return convertFile(file, this.context);
  }

  /** What `dropgate check` would say. */
  async check(file: { name: string; path: string }): Promise<ConvertResult> {
    return convertFile(file, { ...(await contextOf(this.settings)), dryRun: true });
  }

  /** Converts and publishes files as one task. */
  async take(files: readonly ReadyFile[]): Promise<Published[]> {
    const judged = [];
    for (const file of files) judged.push({ file, result: await this.convert(file) });
    const published = await this.publisher.publish(judged);
    this.publisher.confirm(published);
    return published;
  }

  /** Drops one file and takes it. */
  async deliver(name: string, content: string | Uint8Array): Promise<Published> {
    const [published] = await this.take([this.drop(name, content)]);
    return published;
  }

  close(): void {
    this.ledger.close();
  }
}

async function contextOf(settings: Settings): Promise<ConvertContext> {
  return openContext(
    {
      datasets: settings.datasets,
      overlappingDatasets: settings.intake.overlappingDatasets,
      outputFolder: settings.folders.output,
      failedFolder: settings.folders.failed,
      scratchFolder: settings.folders.state,
      parquet: settings.parquet,
      limits: settings.limits,
      version: '1.2.3',
    },
    false,
  );
}

/** What the watcher would say of a file. */
export function readyFile(file: string): ReadyFile {
  const stats = fs.lstatSync(file, { bigint: true });
  return {
    name: path.basename(file),
    path: file,
    kind: stats.isFile() ? 'file' : 'other',
    size: Number(stats.size),
    mtimeMs: Number(stats.mtimeMs),
    mtimeNs: stats.mtimeNs,
    ino: stats.ino,
    dev: stats.dev,
    arrivedAtMs: Date.now(),
  };
}

/** All files under a folder, relative to it, sorted. */
export function filesUnder(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** A delimited file as text: unzipped where its name says so, decoded, without a byte order mark. */
export function textOfFile(file: string, encoding: string): string {
  const bytes = fs.readFileSync(file);
  return iconv.decode(/\.gz$/i.test(file) ? gunzipSync(bytes) : bytes, encoding);
}

/**
 * A Parquet value as `expected.json` and the simple conversion spell it: times and timestamps with as many digits as
 * they need, decimals with all digits of their scale, integers beyond 2^53 as text.
 */
export function spelled(value: TestValue, type: SqlType): boolean | number | string | null {
  if (value === null) return null;
  switch (type.kind) {
    case 'decimal':
      return spelledDecimal(BigInt(value as number | bigint), type.scale!);
    case 'date':
      return new Date((value as number) * 86_400_000).toISOString().slice(0, 10);
    case 'time':
      return spelledInstant(value as bigint).slice(11);
    case 'timestamp':
      return spelledInstant(value as bigint);
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'real':
    case 'double':
      return Number.isFinite(value) ? (value as number) : String(value);
    default:
      return value as boolean | number | string;
  }
}

function spelledDecimal(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`;
}

/** `2026-11-22 06:31:02` or `2026-11-22 06:31:02.123456`. */
function spelledInstant(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = Number((micros - fraction) / 1_000_000n);
  const text = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const digits = String(fraction).padStart(6, '0').replace(/0+$/, '');
  return digits === '' ? text : `${text}.${digits}`;
}
