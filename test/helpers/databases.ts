import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { inject } from 'vitest';
import type { ServerAddress } from '../../src/config/settings.js';
import { urlOf } from './private-server.js';
import { findPrograms, SERVER_VARIABLE, type ServerEngine } from './server-programs.js';

/** A row as the driver returns it: decimals and 64-bit integers of Postgres and sums of MySQL come as text. */
export type Row = Record<string, unknown>;

/** An empty database of the test's own. */
export interface FreshDatabase extends ServerAddress {
  /** `postgres://…` or `mysql://…`, with the password. */
  url: string;
  /** Runs one statement on a connection of its own and returns its rows; `$1…` or `?` stand for `params`. */
  query(sql: string, params?: unknown[]): Promise<Row[]>;
  /** Removes the database; connections that are still open are ended. */
  drop(): Promise<void>;
}

/** URL of the run's Postgres server, started when first asked for. Call it in `beforeAll`, the first start takes seconds. */
export function postgresUrl(): Promise<string> {
  return sharedServer('postgres');
}

/** URL of the run's MariaDB or MySQL server, started when first asked for. Call it in `beforeAll`. */
export function mysqlUrl(): Promise<string> {
  return sharedServer('mysql');
}

/**
 * Whether `startPostgres()` and `startMysql()` can work, for `describe.skipIf(!(await canStart('mysql')))`. False only
 * where the environment names a server and no programs are installed; without either, tests must fail, not be skipped.
 */
export async function canStart(engine: ServerEngine): Promise<boolean> {
  return !process.env[SERVER_VARIABLE[engine]] || (await findPrograms(engine)) !== undefined;
}

/** Makes an empty database on the run's Postgres server, or on the server at `url`. */
export async function freshPostgres({ url }: { url?: string } = {}): Promise<FreshDatabase> {
  const server = addressOf(url ?? (await postgresUrl()));
  const database = freshName();
  await queryPostgres(server, `CREATE DATABASE ${database}`);
  const address = { ...server, database };
  return {
    ...address,
    url: urlOf('postgres', address),
    query: (sql, params) => queryPostgres(address, sql, params),
    drop: async () => {
      await queryPostgres(server, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    },
  };
}

/** Makes an empty database on the run's MariaDB or MySQL server, or on the server at `url`. */
export async function freshMysql({ url }: { url?: string } = {}): Promise<FreshDatabase> {
  const server = addressOf(url ?? (await mysqlUrl()));
  const database = freshName();
  await queryMysql(server, `CREATE DATABASE ${database}`);
  const address = { ...server, database };
  return {
    ...address,
    url: urlOf('mysql', address),
    query: (sql, params) => queryMysql(address, sql, params),
    drop: async () => {
      await endMysqlConnections(server, database);
      await queryMysql(server, `DROP DATABASE IF EXISTS ${database}`);
    },
  };
}

/** Takes a `postgres://` or `mysql://` URL apart. */
export function addressOf(url: string): ServerAddress {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port) || (protocol === 'mysql:' ? 3306 : 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
  };
}

async function sharedServer(engine: ServerEngine): Promise<string> {
  const named = process.env[SERVER_VARIABLE[engine]];
  if (named) return named;
  const response = await fetch(`${inject('serverBroker')}/${engine}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

function freshName(): string {
  return `dropgate_${randomBytes(6).toString('hex')}`;
}

async function queryPostgres(address: ServerAddress, sql: string, params?: unknown[]): Promise<Row[]> {
  const client = new pg.Client({ ...address });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql, params)).rows;
  } finally {
    await client.end();
  }
}

async function queryMysql(address: ServerAddress, sql: string, params: unknown[] = []): Promise<Row[]> {
  const connection = await mysql.createConnection({ ...address, charset: 'utf8mb4' });
  try {
    const [rows] = await connection.query(sql, params);
    return Array.isArray(rows) ? (rows as Row[]) : [];
  } finally {
    await connection.end();
  }
}

/** An open transaction holds a lock on its tables, for which DROP DATABASE would wait. */
async function endMysqlConnections(server: ServerAddress, database: string): Promise<void> {
  const open = await queryMysql(server, 'SELECT id AS id FROM information_schema.processlist WHERE db = ?', [
    database,
  ]);
  for (const { id } of open) {
    // It may have ended by itself in the meantime.
    await queryMysql(server, `KILL ${Number(id)}`).catch(() => {});
  }
}
