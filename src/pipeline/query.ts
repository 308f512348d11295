import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { DropgateError, errnoOf, messageOf } from '../base/errors.js';
import { didYouMean } from '../base/suggest.js';
import { quoteValue } from '../base/text.js';
import type { Settings } from '../config/settings.js';
import type { QueryResult } from '../load/engine.js';
import { withReadingEngine } from './reading-engine.js';

export type { QueryResult, SqlValue } from '../load/engine.js';

/** A query of the folder `sql`, as `sql/manifest.yaml` describes it. */
export interface NamedQuery {
  /** `sql/<dialect>/<name>.sql`. */
  name: string;
  title: string;
  /** What it answers: from the manifest, else the first comment line of the file. */
  question: string;
  /** How a page may show the result; see the head of the manifest. */
  plot?: { kind: string; x?: string; y?: string; series?: string; only?: Record<string, unknown> };
  /** Column of the result → what it holds. */
  columns?: Record<string, string>;
  /** The manifest describes it. */
  isShipped?: boolean;
}

/** A statement to run, and for how long at most. */
export interface QueryRequest {
  settings: Settings;
  sql: string;
  timeoutMs: number;
}

/**
 * Runs one statement that only reads.
 * @throws DropgateError `query_refused`, `database_unreachable`, `locked`, `config_invalid` (there is no database)
 */
export function runQuery({ settings, sql, timeoutMs }: QueryRequest): Promise<QueryResult> {
  return withReadingEngine(settings, (engine) => engine.readOnly(sql, { timeoutMs }));
}

/**
 * The queries of the dialect in use: those of the manifest in its order, then files that it does not list.
 * @throws DropgateError `config_invalid` when the manifest makes no sense
 */
export function listQueries(settings: Settings): NamedQuery[] {
  const names = fileNames(dialectFolder(settings));
  const listed = readManifest(settings.folders.sql).filter(({ name }) => names.includes(name));
  const others = names.filter((name) => !listed.some((query) => query.name === name));
  const shipped = listed.map((query) => ({ ...query, isShipped: true }));
  return [...shipped, ...others.map((name) => describeFile(settings, name))];
}

/**
 * The text of a named query. A name is a file's name without folders.
 * @throws DropgateError `usage` for a name that is none or that nobody knows
 */
export function namedQuery(settings: Settings, given: string): string {
  const name = given.replace(/\.sql$/i, '');
  if (!isQueryName(name)) {
    throw new DropgateError('usage', `${quoteValue(given)} is not the name of a query`, {
      hint: 'A name has letters, digits, "_", "-" and "." only, no folders. A statement needs a space, as in "TABLE student_data".',
    });
  }
  const folder = dialectFolder(settings);
  const names = fileNames(folder);
  if (names.includes(name)) return fs.readFileSync(path.join(folder, `${name}.sql`), 'utf8');
  throw new DropgateError(
    'usage',
    `there is no query ${quoteValue(name)} in ${folder}${didYouMean(name, names)}`,
    {
      hint: 'Run "dropgate query" for a list.',
    },
  );
}

/** Whether a text is the name of a file without folders. */
export function isQueryName(text: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u.test(text);
}

/** Where the queries of the dialect in use are. The embedded database runs the files for Postgres. */
export function dialectFolder({ folders, database }: Settings): string {
  return path.join(folders.sql, database.engine === 'mysql' ? 'mysql' : 'postgres');
}

function fileNames(folder: string): string[] {
  const names = readdir(folder).filter((name) => name.endsWith('.sql'));
  return names
    .map((name) => name.slice(0, -'.sql'.length))
    .filter(isQueryName)
    .sort();
}

function readdir(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function describeFile(settings: Settings, name: string): NamedQuery {
  const [firstLine] = fs.readFileSync(path.join(dialectFolder(settings), `${name}.sql`), 'utf8').split('\n');
  return { name, title: name, question: /^--\s*(.*?)\s*$/.exec(firstLine)?.[1] ?? '' };
}

/**
 * The queries that `sql/manifest.yaml` describes.
 * @throws DropgateError `config_invalid`, `config_syntax` when it makes no sense
 */
export function readManifest(sqlFolder: string): NamedQuery[] {
  const file = path.join(sqlFolder, 'manifest.yaml');
  if (!fs.existsSync(file)) return [];
  const queries = parseManifest(file);
  const isList = Array.isArray(queries) && queries.every(isDescription);
  if (isList) return queries;
  throw new DropgateError(
    'config_invalid',
    `${file}: expected "queries", a list with name, title and question`,
  );
}

function parseManifest(file: string): unknown {
  try {
    return (parse(fs.readFileSync(file, 'utf8')) as { queries?: unknown } | null)?.queries ?? [];
  } catch (error) {
    throw new DropgateError('config_syntax', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

function isDescription(entry: unknown): entry is NamedQuery {
  const texts = entry as Record<string, unknown> | null;
  return ['name', 'title', 'question'].every((key) => typeof texts?.[key] === 'string');
}
