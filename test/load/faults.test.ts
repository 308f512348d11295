import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/load/engine.js';
import { ensureLedgerTable, loadKey } from '../../src/load/ledger-table.js';
import { loadFiles } from '../../src/load/load-files.js';
import { openEngine } from '../../src/load/open-engine.js';
import { ensureTable } from '../../src/load/table.js';
import type { TargetTable } from '../../src/load/target-table.js';
import { canStart } from '../helpers/databases.js';
import { killWhole } from '../helpers/kill-whole.js';
import { startMysql } from '../helpers/mysql-server.js';
import { startPostgres } from '../helpers/postgres-server.js';
import type { PrivateServer } from '../helpers/private-server.js';
import { copyOf } from './support/copy.js';

const TABLE: TargetTable = {
  name: 'numbers',
  columns: [
    { name: 'id', type: { kind: 'bigint' } },
    { name: 'word', type: { kind: 'varchar', length: 200 } },
  ],
  key: [],
  mode: 'append',
  indexes: [],
};

const STARTERS = { postgres: startPostgres, mysql: startMysql };
const CHUNK_ROWS = 5000;

describe.each(['postgres', 'mysql'] as const)('a server that goes away: %s', async (kind) => {
  const available = await canStart(kind);
  let server: PrivateServer;
  let engine: Engine;
  beforeAll(async () => {
    if (!available) return;
    server = await STARTERS[kind]();
    engine = openEngine({ engine: kind, ...server });
  });
  afterAll(async () => {
    await engine?.close();
    await server?.dispose();
  });
  const count = async (table: string) =>
    Number((await engine.query(`SELECT count(*) AS n FROM ${table}`))[0].n);
  const entry = { dataset: 'numbers', file: 'big.parquet', sha256: 'f'.repeat(64), rows: 20 * CHUNK_ROWS };
  const file = { ...entry, loadKey: loadKey({ ...entry, identity: 'content' }) };

  async function* rows(beforeChunk: (index: number) => Promise<void>): AsyncGenerator<Uint8Array> {
    for (let chunk = 0; chunk < 20; chunk++) {
      await beforeChunk(chunk);
      yield copyOf(
        Array.from({ length: CHUNK_ROWS }, (_, row) => [String(chunk * CHUNK_ROWS + row), 'x'.repeat(100)]),
      );
    }
  }

  const load = (beforeChunk: (index: number) => Promise<void>) =>
    loadFiles({ engine, table: TABLE, files: [file], copyTextOf: () => rows(beforeChunk) });

  test.skipIf(!available)(
    'killed in the middle of a load, it leaves nothing, and the load can be repeated',
    async () => {
      await ensureLedgerTable(engine);
      await ensureTable(engine, TABLE);
      const killed = load(async (chunk) => {
        if (chunk === 10) await killWhole(server, kind === 'postgres' ? engine : undefined);
      });
      const error = await killed.then(
        () => undefined,
        (reason) => reason,
      );
      expect(engine.classify(error)).toBe('transient');
      expect(error.code).toBe('database_unreachable');

      await expect(engine.connect()).rejects.toMatchObject({ code: 'database_unreachable' });
      await server.start();
      expect(await count('numbers')).toBe(0);
      expect(await count('dropgate_loads')).toBe(0);
      expect(await load(async () => {})).toEqual([{ status: 'loaded', rows: file.rows }]);
      expect(await count('numbers')).toBe(file.rows);
    },
  );

  test.skipIf(!available)('restarted between two uses, it is found again without a fuss', async () => {
    await engine.connect();
    await server.stop();
    await server.start();
    expect(await engine.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test.skipIf(!available)(
    'a wrong password is a trouble that can pass, and is not in the message',
    async () => {
      const stranger = openEngine({ engine: kind, ...server, password: 'wr0ng-pass' });
      const error = await stranger.query('SELECT 1').catch((reason) => reason);
      await stranger.close();
      expect(error.code).toBe('database_unreachable');
      expect(error.message).toContain(`${server.host}:${server.port}`);
      expect(error.message).not.toContain('wr0ng-pass');
      expect(engine.classify(error)).toBe('transient');
    },
  );

  test.skipIf(!available)('a server that was asked for TLS and has none is not used', async () => {
    const careful = openEngine({ engine: kind, ...server, ssl: { rejectUnauthorized: true } });
    await expect(careful.query('SELECT 1')).rejects.toMatchObject({ code: 'database_unreachable' });
    await careful.close();
  });
});

describe.each(['postgres', 'mysql'] as const)('an address where nobody answers: %s', (kind) => {
  let silent: Server;
  beforeAll(async () => {
    silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterAll(() => silent.close());
  const at = (port: number) =>
    openEngine({ engine: kind, host: '127.0.0.1', port, user: 'u', password: 'p', database: 'd' });

  test('a refused connection', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const engine = at(port);
    await expect(engine.transaction(async () => {})).rejects.toMatchObject({
      code: 'database_unreachable',
      message: expect.stringMatching(/ECONNREFUSED/),
    });
    await engine.close();
  });

  test('a server that takes the connection and says nothing is given up on', async () => {
    const engine = at((silent.address() as AddressInfo).port);
    await expect(engine.connect()).rejects.toMatchObject({ code: 'database_unreachable' });
    await engine.close();
  }, 20_000);
});
