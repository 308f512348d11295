import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { credentialsOf, onPath, startMariadb, startPostgres } from './servers.mjs';

/*
 * What the benchmark asks of a database server beside what it measures: a fresh database, the server's own client, and
 * what a table holds.
 */

/**
 * @typedef {object} Database
 * @property {string} credentials db_creds.yaml
 * @property {(sql: string) => Promise<Record<string, unknown>[]>} query
 * @property {(table: string, csv: string[]) => { ms: number }} loadCsv with the server's own client, one command a file
 * @property {(table: string) => Promise<{ rows: number, checksum: string }>} contentOf
 * @property {(from: string, to: string) => Promise<unknown>} copyTable makes an empty table like another
 * @property {() => Promise<void>} settle writes out what earlier work left in memory
 * @property {() => Promise<void>} drop
 */

/** Servers by engine, started when they are first asked for. One whose programs are missing is named once. */
export class Servers {
  #folder;
  #running = new Map();

  /** @param {string} folder where the servers may keep their data */
  constructor(folder) {
    this.#folder = folder;
  }

  /** @returns {Promise<{ server: import('./servers.mjs').Server, newDatabase: (name: string) => Promise<Database> } | undefined>} */
  get(engine) {
    if (!this.#running.has(engine)) this.#running.set(engine, this.#start(engine));
    return this.#running.get(engine);
  }

  async stop() {
    for (const running of this.#running.values()) await (await running)?.stop();
  }

  async #start(engine) {
    const { start, open, client, title } = ENGINES[engine];
    const program = onPath(client);
    const folder = path.join(this.#folder, `server-${engine}`);
    // Of a run that was killed.
    rmSync(folder, { recursive: true, force: true });
    const server = program && (await start(folder));
    if (!server) {
      console.log(`Not measured, as ${program ? title : `its client ${client}`} is not installed: ${engine}`);
      return undefined;
    }
    return {
      newDatabase: (name) => open({ server, program, name }),
      stop: async () => {
        await server.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }
}

async function openPostgres({ server, program, name }) {
  const { default: pg } = await import('pg');
  const address = { ...server.address, database: name };
  const owner = new pg.Client(server.address);
  // A server that ends before its clients is no fault of theirs.
  owner.on('error', () => {});
  await owner.connect();
  await owner.query(`DROP DATABASE IF EXISTS ${name}`);
  await owner.query(`CREATE DATABASE ${name}`);
  const client = new pg.Client(address);
  client.on('error', () => {});
  await client.connect();
  const query = async (sql, params) => (await client.query(sql, params)).rows;
  return {
    credentials: credentialsOf({ ...server, address }),
    query,
    loadCsv: (table, csv) => {
      const script = csv.map((file) => `\\copy ${table} from '${file}' with (format csv, header)\n`).join('');
      return runClient(program, { args: ['-q', '-v', 'ON_ERROR_STOP=1', urlOf(address)], script });
    },
    contentOf: async (table) => {
      const [{ rows, checksum }] = await query(POSTGRES_CONTENT(table));
      return { rows: Number(rows), checksum };
    },
    copyTable: (from, to) => query(`CREATE TABLE ${to} (LIKE ${from})`),
    settle: async () => {
      await query('CHECKPOINT');
    },
    drop: async () => {
      await client.end();
      await owner.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await owner.end();
    },
  };
}

/** The embedded database of a running daemon, by the socket that it offers to other programs. */
export async function openSocket(socketDir) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ host: socketDir, user: 'postgres', database: 'postgres' });
  await client.connect();
  return {
    query: (sql) => client.query(sql),
    contentOf: async (table) => {
      const { rows } = await client.query(POSTGRES_CONTENT(table));
      return { rows: Number(rows[0].rows), checksum: rows[0].checksum };
    },
    close: () => client.end(),
  };
}

/** Row count and a checksum that does not depend on the order of the rows; for Postgres and the embedded database. */
export const POSTGRES_CONTENT = (table) =>
  `SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS checksum FROM ${table} t`;

async function openMariadb({ server, program, name }) {
  const { createConnection } = await import('mysql2/promise');
  const address = { ...server.address, database: name };
  const owner = await createConnection(server.address);
  await owner.query(`DROP DATABASE IF EXISTS ${name}`);
  await owner.query(`CREATE DATABASE ${name}`);
  await owner.query(`USE ${name}`);
  const query = async (sql, params) => (await owner.query(sql, params))[0];
  const columnsOf = async (table) =>
    (await query(`SHOW COLUMNS FROM ${table}`)).map(({ Field }) => `\`${Field}\``);
  return {
    credentials: credentialsOf({ ...server, address }),
    query,
    loadCsv: (table, csv) => {
      const script = csv.map(
        (file) => `LOAD DATA LOCAL INFILE '${file}' INTO TABLE ${table} ${CSV_FORMAT};\n`,
      );
      return runClient(program, { args: mysqlArgs(address), script: script.join('') });
    },
    contentOf: async (table) => {
      const row = `CONCAT_WS('|', ${(await columnsOf(table)).join(', ')})`;
      const [found] = await query(`SELECT COUNT(*) AS rows_, SUM(CRC32(${row})) AS checksum FROM ${table}`);
      return { rows: Number(found.rows_), checksum: String(found.checksum) };
    },
    copyTable: (from, to) => query(`CREATE TABLE ${to} LIKE ${from}`),
    settle: async () => undefined,
    drop: async () => {
      await owner.query(`DROP DATABASE ${name}`);
      await owner.end();
    },
  };
}

const CSV_FORMAT = String.raw`CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' LINES TERMINATED BY '\n' IGNORE 1 LINES`;

function mysqlArgs({ host, port, user, password, database }) {
  return [
    '--no-defaults',
    '--local-infile=1',
    `--host=${host}`,
    `--port=${port}`,
    '--protocol=tcp',
    `--user=${user}`,
    `--password=${password}`,
    database,
  ];
}

function urlOf({ host, port, user, password, database }) {
  return `postgres://${user}:${password}@${host}:${port}/${database}`;
}

function runClient(program, { args, script }) {
  const startedAt = performance.now();
  execFileSync(program, args, { input: script, stdio: ['pipe', 'ignore', 'inherit'] });
  return { ms: performance.now() - startedAt };
}

const ENGINES = {
  postgres: { start: startPostgres, open: openPostgres, client: 'psql', title: 'PostgreSQL' },
  mariadb: { start: startMariadb, open: openMariadb, client: 'mysql', title: 'MariaDB' },
};
