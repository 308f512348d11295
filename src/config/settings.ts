import type { SqlType } from '../base/sql-type.js';
import type { TimeOfDay } from '../base/zoned-time.js';

/** Everything the program was told, checked, complete (every default filled in) and deeply frozen. */
export interface Settings {
  /** Absolute path of the root folder. */
  root: string;
  /** Absolute path of the configuration folder. */
  configDir: string;
  folders: Folders;
  watch: WatchSettings;
  intake: IntakeSettings;
  parquet: ParquetSettings;
  limits: Limits;
  log: { level: LogLevel; json: boolean };
  server: ServerSettings;
  alerts: AlertSettings;
  /** In the order of schema.yaml; the first whose `files` matches claims a file. */
  datasets: Dataset[];
  /** One table a dataset that is to be loaded, keyed by dataset name. */
  tables: Record<string, TableSpec>;
  database: DatabaseSettings;
  /** Things worth telling at start that are no errors (a world-readable password, a pattern that can never match). */
  warnings: string[];
}

export type LogLevel = 'info' | 'warning' | 'error';

/** Absolute paths. */
export interface Folders {
  input: string;
  archive: string;
  failed: string;
  output: string;
  outputFailed: string;
  sql: string;
  state: string;
  logFile: string;
}

export interface WatchSettings {
  /** How long size and mtime must stand still before a file is taken. */
  settleMs: number;
  /** `marker`: a file is taken when `<name>.done` lies beside it. */
  ready: 'settle' | 'marker';
  /** Poll instead of listening to events, for network mounts. */
  polling: boolean;
  /** How often a listing looks for what events missed. */
  rescanMs: number;
}

export interface IntakeSettings {
  originals: 'archive' | 'delete';
  /** 0 keeps archived originals for ever. */
  archiveDays: number;
  identity: 'name_and_content' | 'content';
  /** What happens to a file that several datasets claim. */
  overlappingDatasets: 'first' | 'fail_file';
  /** Worker threads. */
  workers: number;
  /** Longest wait for the work in hand on SIGTERM; then it is abandoned and done again at the next start. */
  shutdownMs: number;
}

export interface ParquetSettings {
  codec: 'snappy' | 'gzip' | 'zstd' | 'none';
  rowGroupRows: number;
}

export interface Limits {
  maxRowBytes: number;
  maxColumns: number;
  /** Decompressed size divided by compressed size above which a gzip file is refused. */
  maxDecompressedRatio: number;
}

/** The web pages and their API. */
export interface ServerSettings {
  enabled: boolean;
  /** Address or name to listen on. */
  host: string;
  /** 0 takes any free port. */
  port: number;
  maxUploadBytes: number;
  /** Who may come in; absent: everybody on this machine, as administrator. */
  auth?: AuthSettings;
  sql: SqlSettings;
}

/** Bounds of statements in the pages. */
export interface SqlSettings {
  timeoutMs: number;
  maxRows: number;
  /** Of the values of one result. */
  maxBytes: number;
  /** That run at once. */
  maxStatements: number;
}

/** What somebody may do in the pages; each role may do all that those before it may. */
export const ROLES = ['viewer', 'analyst', 'admin'] as const;
/**
 * - `viewer`: look
 * - `analyst`: also upload, retry, and ask in SQL
 * - `admin`: also see private columns
 */
export type Role = (typeof ROLES)[number];

/** How those who ask are told apart. */
export interface AuthSettings {
  users: { name: string; role: Role /** `scrypt$N$r$p$salt$key` */; passwordHash: string }[];
  tokens: { name: string; role: Role /** `sha256$…` */; tokenHash: string }[];
  /** A header by which a proxy names the user; its name and that of the role's header in lower case. */
  proxyHeader?: { name: string; role: Role; roleHeader?: string };
  /** Addresses and networks whose X-Forwarded-* and user headers are believed. */
  trustedProxies: string[];
  /** Longest life of a session. */
  sessionMs: number;
  /** Longest life of a session without a request. */
  sessionIdleMs: number;
}

/** Who is told of troubles, and when. */
export interface AlertSettings {
  /** http or https; may hold a secret, and is never shown in full. */
  webhook?: string;
  /** Sent as `Authorization: Bearer`. */
  token?: string;
  /** Alerts that come so close together go into one message. */
  gatherMs: number;
  /** Shortest time between two messages. */
  intervalMs: number;
  /** Longest time that the receiver may take. */
  timeoutMs: number;
  /** The database has to be away for so long. */
  databaseAwayMs: number;
}

/** When files of a dataset are due. */
export interface Expectation {
  everyMs: number;
  /** `everyMs` in days; whole ones where there is a time of day. */
  days: number;
  /** By a clock in `timeZone`; without it a file is due `everyMs` after the last. */
  at?: TimeOfDay;
  /** A file may come so much later before anybody is told. */
  graceMs: number;
  timeZone: string;
}

export type CaseRule = 'lower' | 'upper' | 'keep';

/** The contract of one kind of file. */
export interface Dataset {
  /** Also the name of its table. */
  name: string;
  /** Glob on the file name (with or without a trailing .gz). */
  files: string;
  /** `any`: no contract, every column becomes nullable text. */
  columns: DeclaredColumn[] | 'any';
  /** Case of column names. */
  names: 'lower' | 'keep';
  missing: 'drop_row' | 'fail_file' | 'keep';
  /** Lower-cased, trimmed. */
  nullTokens: string[];
  duplicates: 'drop' | 'keep' | 'fail_file';
  invalid: 'fail_file' | 'set_aside';
  maxSetAside: { rows: number } | { share: number };
  ragged: 'fail_file' | 'set_aside' | 'rescue';
  extraColumns: 'fail_file' | 'ignore' | 'rescue';
  /** '' means that every line is one value. */
  delimiter: 'auto' | string;
  /** '' means that the file has no quotes. */
  quote: 'auto' | string;
  /** How a quote stands inside a quoted value. */
  escape: 'auto' | 'double' | 'backslash' | 'none';
  /** A WHATWG or iconv label such as `utf-8` or `windows-1252`. */
  encoding: 'auto' | string;
  header: 'auto' | 'present' | 'absent';
  /** Case of values where a column says nothing (only for `columns: any`; declared columns carry their own). */
  case: CaseRule;
  /** When its files are due; absent when nobody waits for them. */
  expect?: Expectation;
}

export interface DeclaredColumn {
  /** Folded by the dataset's `names`. */
  name: string;
  type: SqlType;
  nullable: boolean;
  case: CaseRule;
  /** To be hidden from all but administrators wherever values are shown. */
  private: boolean;
  /** JSON Schema keywords beside `type`, or undefined when there are none. Texts in them are in the column's case. Values are seen typed: numbers as numbers, the rest as text. */
  rules?: Record<string, unknown>;
  /** Where the column is declared, for messages: `config/schema.yaml:12`. */
  where: string;
}

export interface TableSpec {
  name: string;
  columns: { name: string; type: SqlType }[];
  /** Column names; empty unless mode is upsert (append and replace may have one, it becomes the primary key). */
  key: string[];
  mode: 'append' | 'upsert' | 'replace';
  /** Each a list of column names. */
  indexes: string[][];
}

export interface ServerAddress {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  ssl?: SslSettings;
}

export interface SslSettings {
  /** PEM text. */
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized: boolean;
}

export type DatabaseSettings =
  | { engine: 'none' }
  | {
      engine: 'embedded' /** Absolute. */;
      dataDir: string /** Folder of the Unix socket. */;
      socketDir: string;
    }
  | ({ engine: 'postgres' /** Absent: the server's search path decides. */; schema?: string } & ServerAddress)
  | ({ engine: 'mysql' } & ServerAddress);
