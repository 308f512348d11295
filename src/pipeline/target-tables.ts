import type { Log } from '../base/log.js';
import type { TableSpec } from '../config/settings.js';
import type { Engine } from '../load/engine.js';
import { LEDGER_TABLE } from '../load/ledger-table.js';
import { ensureTable } from '../load/table.js';

/** Which tables of the database are known to be as declared. */
export class TargetTables {
  readonly #engine: Engine;
  readonly #log: Log;
  readonly #ready = new Set<string>();

  constructor({ engine, log }: { engine: Engine; log: Log }) {
    this.#engine = engine;
    this.#log = log;
  }

  /** The database was away: it may be another one now. */
  forget(): void {
    this.#ready.clear();
  }

  /** Creates or compares a table and the load ledger, once. True when one of them was created. @throws as `ensureTable` */
  async ensure(table: TableSpec): Promise<boolean> {
    if (this.#ready.has(table.name)) return false;
    const states = [await ensureTable(this.#engine, LEDGER_TABLE), await ensureTable(this.#engine, table)];
    if (states[1] === 'created') this.#log.info(`Created table ${table.name} in ${this.#engine.address}`);
    this.#ready.add(table.name);
    return states.includes('created');
  }

  /** Does `ensure` once more: somebody may have dropped or altered the table since. */
  async ensureAgain(table: TableSpec): Promise<boolean> {
    this.#ready.delete(table.name);
    return this.ensure(table);
  }
}
