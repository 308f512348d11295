import path from 'node:path';
import type { Engine } from '../../../src/load/engine.js';
import { openEngine } from '../../../src/load/open-engine.js';
import { freshMysql, freshPostgres } from '../../helpers/databases.js';
import { tempDir } from '../../helpers/temp-dir.js';

/** An empty database, and engines on it. */
export interface Target {
  /** Opens one more engine; on the embedded database, whose data only one can have open, always the same one. */
  open(): Engine;
  /** What engines have noticed. */
  notices: string[];
  /** Closes all engines and removes the database. */
  dispose(): Promise<void>;
}

/** Every kind of database that Dropgate loads into. */
export const TARGETS: Record<string, () => Promise<Target>> = {
  postgres: postgresTarget,
  mysql: mysqlTarget,
  embedded: embeddedTarget,
};

async function postgresTarget(): Promise<Target> {
  const database = await freshPostgres();
  return serverTarget(database, (onNotice) => openEngine({ engine: 'postgres', ...database, onNotice }));
}

async function mysqlTarget(): Promise<Target> {
  const database = await freshMysql();
  return serverTarget(database, (onNotice) => openEngine({ engine: 'mysql', ...database, onNotice }));
}

function serverTarget(
  database: { drop(): Promise<void> },
  openOne: (onNotice: (text: string) => void) => Engine,
): Target {
  const notices: string[] = [];
  const engines: Engine[] = [];
  return {
    notices,
    open() {
      const engine = openOne((text) => notices.push(text));
      engines.push(engine);
      return engine;
    },
    async dispose() {
      await Promise.all(engines.map((engine) => engine.close()));
      await database.drop();
    },
  };
}

async function embeddedTarget(): Promise<Target> {
  const folder = tempDir();
  const notices: string[] = [];
  const engine = openEngine({
    engine: 'embedded',
    mode: 'own',
    dataDir: path.join(folder, 'data'),
    socketDir: path.join(folder, 'socket'),
    onNotice: (text) => notices.push(text),
  });
  return { notices, open: () => engine, dispose: () => engine.close() };
}
