import fs from 'node:fs';
import path from 'node:path';
import type { Piscina } from 'piscina';
import { type Log, openLog } from '../../../src/base/log.js';
import type { ConvertTask } from '../../../src/pipeline/convert-worker.js';
import { makeDurable } from '../../../src/pipeline/convert-worker.js';
import { Intake } from '../../../src/pipeline/intake.js';
import { Observers } from '../../../src/pipeline/observer.js';
import { Originals } from '../../../src/pipeline/originals.js';
import { Publisher } from '../../../src/pipeline/publish.js';
import { readyFile, Workshop } from '../../pipeline/workshop.js';

export const PEOPLE_SCHEMA = `
people:
  files: "*"
  invalid: set_aside
  max_set_aside: 50%
  columns: { name: TEXT, age: INTEGER }
`;

export interface IntakeRigOptions {
  /** Threads for the conversion; without them it happens in this one. */
  poolFor?(workshop: Workshop): Piscina;
  /** Called around what the rig itself does with the disk. */
  aside?<T>(work: () => T): T;
}

/** The pipeline up to Parquet, in this process and without a watcher: a round offers whatever lies in the input folder. */
export class IntakeRig {
  readonly workshop: Workshop;
  /** Of the log. */
  readonly lines: string[] = [];
  readonly #options: IntakeRigOptions;
  readonly #intake: Intake;
  readonly #log: Log;
  readonly #pool: Piscina | undefined;

  private constructor(workshop: Workshop, options: IntakeRigOptions) {
    this.workshop = workshop;
    this.#options = options;
    const { settings, ledger, root } = workshop;
    const { folders } = settings;
    const echo = (lines: string) => this.lines.push(...lines.split('\n'));
    this.#log = openLog({ file: folders.logFile, level: 'info', json: false, echo });
    this.#pool = options.poolFor?.(workshop);
    const log = this.#log;
    const originals = new Originals({ folders, keep: 'archive', hasMarkers: false, ledger, log, root });
    const identity = 'name_and_content';
    this.#intake = new Intake({
      pool: this.#pool ?? ({ run: (task: ConvertTask) => this.#convert(task) } as unknown as Piscina),
      // What the conversion keeps between files serves one task at a time.
      workers: this.#pool ? 2 : 1,
      publisher: new Publisher({ folders, originals, identity, isLoading: false, ledger }),
      log,
      observers: new Observers(),
      root,
      release: () => undefined,
      onConverted: () => undefined,
      onAllBrought: () => undefined,
    });
  }

  static async open(options: IntakeRigOptions = {}): Promise<IntakeRig> {
    return new IntakeRig(await Workshop.open({ config: PEOPLE_SCHEMA }), options);
  }

  /** Names of the files that wait. */
  waiting(): string[] {
    const entries = fs.readdirSync(this.workshop.settings.folders.input, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  async round(): Promise<void> {
    const { input } = this.workshop.settings.folders;
    const aside = this.#options.aside ?? ((work) => work());
    this.#intake.offer(aside(() => this.waiting().map((name) => readyFile(path.join(input, name)))));
    await this.#intake.idle();
  }

  async untilDone(rounds = 6): Promise<void> {
    for (let round = 0; round < rounds && this.waiting().length > 0; round++) await this.round();
  }

  told(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
    this.#log.close();
    this.workshop.close();
  }

  async #convert({ files }: ConvertTask) {
    const results = [];
    for (const file of files) results.push(await this.workshop.convert(file));
    return Promise.all(results.map(makeDurable));
  }
}
