import { DropgateError } from '../../base/errors.js';
import { quoteValue } from '../../base/text.js';
import type { TableSpec } from '../../config/settings.js';
import type { Engine, QueryResult, SqlDialect } from '../../load/engine.js';
import type { ExploredTable } from '../../load/explore/column.js';
import type { ReadyStatement } from '../../load/explore/statement.js';
import { countRows, type LoadMark, readLoadMarks } from '../../load/explore/tables.js';
import { Memo } from './memo.js';

/** At once, so that a dashboard does not take all connections that the database allows. */
const MAX_STATEMENTS = 3;
/** Waiting for the answer to a page; the embedded database would be started anew after it. */
const TIMEOUT_MS = 20_000;
/** Pages that are opened at once ask once. */
const MARKS_MS = 1000;
/** Rows may also be changed by others. */
const MAX_AGE_MS = 300_000;
const MAX_ANSWERS = 300;
/** Tables are counted up to here; beyond, the rows of their loads are told. */
const MAX_COUNTED = 5_000_000;

/** A table as the database has it now. */
export interface TableState {
  spec: TableSpec;
  isPresent: boolean;
  mark: LoadMark | undefined;
}

/** How many rows there are; `isEstimate` where there were too many to count. */
export interface RowCount {
  rows: number;
  isEstimate: boolean;
}

/**
 * Reads the tables for pages, beside the loads: each statement on a connection of its own and only to read, few at a
 * time, and none twice while nothing was loaded.
 */
export class TableReader {
  readonly #engine: Engine | undefined;
  readonly #tables: Readonly<Record<string, TableSpec>>;
  readonly #marks = new Memo<Awaited<ReturnType<typeof readLoadMarks>>>({ most: 1, maxAgeMs: MARKS_MS });
  readonly #answers = new Memo<unknown>({ most: MAX_ANSWERS, maxAgeMs: MAX_AGE_MS });
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(parts: { engine: Engine | undefined; tables: Readonly<Record<string, TableSpec>> }) {
    this.#engine = parts.engine;
    this.#tables = parts.tables;
  }

  /** @throws DropgateError `config_invalid` when there is no database */
  get dialect(): SqlDialect {
    return this.#database.dialect;
  }

  /** Runs one statement that only reads. @throws as `Engine.readOnly` */
  readonly read = async ({ sql, params }: ReadyStatement): Promise<QueryResult> => {
    const database = this.#database;
    await this.#enter();
    try {
      return await database.readOnly(sql, { timeoutMs: TIMEOUT_MS, params });
    } finally {
      this.#leave();
    }
  };

  /** All tables of the settings, whether they are there, and their loads. */
  async states(): Promise<TableState[]> {
    const specs = Object.values(this.#tables);
    const source = { dialect: this.dialect, read: this.read };
    const names = specs.map(({ name }) => name);
    const { present, marks } = await this.#marks.get('', () => readLoadMarks(source, names));
    return specs.map((spec) => ({ spec, isPresent: present.has(spec.name), mark: marks.get(spec.name) }));
  }

  /**
   * The state of one table.
   * @throws DropgateError `usage` when the settings have no such table; `query_refused` when it is not there yet
   */
  async present(name: string): Promise<TableState> {
    const state = (await this.states()).find(({ spec }) => spec.name === name);
    if (!state) throw new DropgateError('usage', `There is no table ${quoteValue(name)} in schema_sql.yaml.`);
    if (state.isPresent) return state;
    throw new DropgateError('query_refused', `Table ${quoteValue(name)} is not there yet.`, {
      hint: 'It is created when the first file is loaded into it.',
    });
  }

  /** The rows of a table that is there. */
  count({ spec, mark }: TableState): Promise<RowCount> {
    return this.#remembered({ spec, mark, question: 'count' }, async () => {
      const source = { dialect: this.dialect, read: this.read };
      const rows = await countRows(source, { table: explored(spec), most: MAX_COUNTED + 1 });
      return rows > MAX_COUNTED
        ? { rows: Math.max(rows, mark?.rows ?? 0), isEstimate: true }
        : { rows, isEstimate: false };
    });
  }

  /** An answer about a table: by `work`, unless it is known since the last load. */
  async answer<T>(
    name: string,
    {
      question,
      mostRows,
      work,
    }: { question: string; mostRows: number; work: (table: ExploredTable) => Promise<T> },
  ): Promise<T> {
    const state = await this.present(name);
    const { rows } = await this.count(state);
    const table = { ...explored(state.spec), ...(rows > mostRows && { firstRows: mostRows }) };
    return this.#remembered({ ...state, question }, () => work(table));
  }

  /** An answer that may come from several tables. */
  async answerOfAll<T>(question: string, work: () => Promise<T>): Promise<T> {
    const marks = (await this.states()).map(({ spec, mark }) => [spec.name, mark?.loads, mark?.lastLoadedAt]);
    return this.#answers.get(JSON.stringify([question, marks]), work) as Promise<T>;
  }

  #remembered<T>(
    { spec, mark, question }: { spec: TableSpec; mark: LoadMark | undefined; question: string },
    work: () => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify([spec.name, mark?.loads, mark?.lastLoadedAt, question]);
    return this.#answers.get(key, work) as Promise<T>;
  }

  get #database(): Engine {
    if (this.#engine) return this.#engine;
    throw new DropgateError('config_invalid', 'db_creds.yaml says "engine: none": there is no database', {
      hint: 'Name a database in db_creds.yaml; docs/configuration.md shows how.',
    });
  }

  async #enter(): Promise<void> {
    if (this.#running >= MAX_STATEMENTS) await new Promise<void>((enter) => this.#waiting.push(enter));
    else this.#running++;
  }

  /** Whoever waits takes the place over. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}

function explored({ name, columns }: TableSpec): ExploredTable {
  return { name, columns };
}
