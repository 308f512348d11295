import Database from 'libsql';
import {
  type FileDetails,
  type FileRecord,
  type FileState,
  fromRow,
  type Row,
  SELECT,
} from './file-record.js';
import { checkVersion, hasContent } from './schema.js';

/** What deliveries can be sorted by; `id` is the order in which they were written down. */
export const SORT_COLUMNS = [
  'id',
  'name',
  'dataset',
  'state',
  'code',
  'rows_in',
  'rows_out',
  'bytes_in',
  'bytes_out',
  'convert_ms',
  'arrived_at',
  'judged_at',
  'loaded_at',
] as const;
export type SortColumn = (typeof SORT_COLUMNS)[number];

/** Which deliveries. Times are ISO 8601 in UTC, as the ledger has them. */
export interface FileFilter {
  /** Part of the name; the case of ASCII letters does not count. */
  name?: string;
  states?: readonly FileState[];
  dataset?: string;
  /** Reason code. */
  code?: string;
  /** Judged at this time or later. */
  from?: string;
  /** Judged before this time. */
  before?: string;
}

/** One page of a search. */
export interface FileQuery extends FileFilter {
  sort: SortColumn;
  descending: boolean;
  limit: number;
  offset: number;
}

/** What was found. */
export interface FoundFiles {
  files: FileRecord[];
  /** Without limit and offset. */
  total: number;
}

/** Stretches of time of equal length, one after the other. */
export interface Buckets {
  /** Start of the first, milliseconds since the epoch. */
  fromMs: number;
  bucketMs: number;
  count: number;
}

/** What was done in each of them. */
export interface Throughput {
  /** Files of which a Parquet file was made. */
  files: number[];
  failed: number[];
  /** Rows that went into the Parquet files. */
  rows: number[];
  /** Bytes of the converted files as they came. */
  bytes: number[];
}

/** Columns that may be without a value; such rows come last in either direction. */
const NULLABLE: ReadonlySet<SortColumn> = new Set(['dataset', 'code', 'convert_ms', 'loaded_at']);

/** Looks into the ledger beside the daemon that writes it: questions that may take some milliseconds, for a thread of their own. */
export class FileSearch {
  readonly #db: Database.Database;

  /** Opens the ledger of a running daemon. @throws for a version that is not known */
  constructor(file: string) {
    this.#db = new Database(file);
    this.#db.exec('PRAGMA busy_timeout = 5000');
    this.#db.exec('PRAGMA query_only = 1');
    checkVersion(this.#db);
  }

  /** A page of the deliveries that `query` describes. */
  search(query: FileQuery): FoundFiles {
    const { where, values } = conditionOf(query);
    const { total } = this.#get<{ total: number }>(`SELECT count(*) AS total FROM files ${where}`, values)!;
    // The ids first: sorting them alone takes less room than sorting whole rows.
    const page = `SELECT id FROM files ${where} ORDER BY ${orderOf(query)} LIMIT ? OFFSET ?`;
    const rows = this.#all<Row>(`${SELECT} WHERE id IN (${page}) ORDER BY ${orderOf(query)}`, [
      ...values,
      query.limit,
      query.offset,
    ]);
    return { files: rows.map(fromRow), total };
  }

  /** One delivery. */
  file(id: number): FileRecord | undefined {
    const row = this.#get<Row>(`${SELECT} WHERE id = ?`, [id]);
    return row && fromRow(row);
  }

  /** What else is known of a delivery. */
  details(id: number): FileDetails {
    type Found = Record<keyof FileDetails, string | null>;
    const found = this.#get<Found>(
      `SELECT dialect, violations, notes, rejects FROM details WHERE record_id = ?`,
      [id],
    );
    return Object.fromEntries(Object.entries(found ?? {}).filter(([, value]) => typeof value === 'string'));
  }

  /** Other deliveries of the same name, the newest first. */
  ofSameName({ id, name }: Pick<FileRecord, 'id' | 'name'>, limit: number): FileRecord[] {
    const rows = this.#all<Row>(`${SELECT} WHERE name = ? AND id <> ? ORDER BY id DESC LIMIT ?`, [
      name,
      id,
      limit,
    ]);
    return rows.map(fromRow);
  }

  /** The last delivery before this one that had the same content and was converted. */
  ofSameContent({ id, sha256 }: Pick<FileRecord, 'id' | 'sha256'>): FileRecord | undefined {
    const row = this.#get<Row>(
      `${SELECT} WHERE ${hasContent('?1')} AND id < ?2 AND state IN ('converted', 'loaded', 'load_failed')
       ORDER BY id DESC LIMIT 1`,
      [sha256, id],
    );
    return row && fromRow(row);
  }

  /** Files and rows that went into tables since `since`, ISO 8601 in UTC. */
  loadedSince(since: string): { files: number; rows: number } {
    const { files, rows } = this.#get<{ files: number; rows: number }>(
      `SELECT count(*) AS files, coalesce(sum(rows_out), 0) AS rows FROM files WHERE loaded_at >= ?`,
      [since],
    )!;
    return { files, rows };
  }

  /** Reason codes that deliveries failed with, in alphabetical order. */
  codes(): string[] {
    const rows = this.#all<{ code: string }>(
      `SELECT DISTINCT code FROM files WHERE state IN ('failed', 'load_failed') AND code IS NOT NULL ORDER BY code`,
      [],
    );
    return rows.map(({ code }) => code);
  }

  throughput({ fromMs, bucketMs, count }: Buckets): Throughput {
    const statement = this.#db.prepare(
      `SELECT count(convert_ms) FILTER (WHERE ${MADE}) AS files, count(*) FILTER (WHERE state = 'failed') AS failed,
         coalesce(sum(rows_out) FILTER (WHERE ${MADE}), 0) AS rows,
         coalesce(sum(bytes_in) FILTER (WHERE ${MADE}), 0) AS bytes
       FROM files WHERE judged_at >= ? AND judged_at < ?`,
    );
    const series: Throughput = { files: [], failed: [], rows: [], bytes: [] };
    for (let i = 0; i < count; i++) {
      const [from, before] = [i, i + 1].map((n) => new Date(fromMs + n * bucketMs).toISOString());
      const found = statement.get(from, before) as Record<keyof Throughput, number>;
      for (const key of Object.keys(series) as (keyof Throughput)[]) series[key].push(found[key]);
    }
    return series;
  }

  close(): void {
    this.#db.close();
  }

  #get<T>(sql: string, values: readonly unknown[]): T | undefined {
    return this.#db.prepare(sql).get(...values) as T | undefined;
  }

  #all<T>(sql: string, values: readonly unknown[]): T[] {
    return this.#db.prepare(sql).all(...values) as T[];
  }
}

/** A Parquet file was made of it here. */
const MADE = `state IN ('converted', 'loaded', 'load_failed') AND convert_ms IS NOT NULL`;

function conditionOf(filter: FileFilter): { where: string; values: unknown[] } {
  const { name, states, dataset, code, from, before } = filter;
  const conditions: [string, unknown[]][] = [];
  if (name) conditions.push([`name LIKE ? ESCAPE '\\'`, [`%${name.replace(/[\\%_]/g, '\\$&')}%`]]);
  if (states) conditions.push([`state IN (${states.map(() => '?').join(', ')})`, [...states]]);
  if (dataset !== undefined) conditions.push(['dataset = ?', [dataset]]);
  if (code !== undefined) conditions.push(['code = ?', [code]]);
  if (from !== undefined) conditions.push(['judged_at >= ?', [from]]);
  if (before !== undefined) conditions.push(['judged_at < ?', [before]]);
  if (conditions.length === 0) return { where: '', values: [] };
  return {
    where: `WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`,
    values: conditions.flatMap(([, values]) => values),
  };
}

/** The column's name comes from {@link SORT_COLUMNS} alone. */
function orderOf({ sort, descending }: FileQuery): string {
  if (!SORT_COLUMNS.includes(sort)) throw new RangeError(`deliveries cannot be sorted by ${sort}`);
  const direction = descending ? 'DESC' : 'ASC';
  if (sort === 'id') return `id ${direction}`;
  return `${sort} ${direction}${NULLABLE.has(sort) ? ' NULLS LAST' : ''}, id ${direction}`;
}
