import { PGlite } from '@electric-sql/pglite';
import { type FreshDatabase, freshMysql, freshPostgres, type Row } from '../../helpers/databases.js';

/** A database that the promises must hold on, seen from outside of the program. */
export interface Target {
  /** Content of db_creds.yaml. */
  config: string;
  /** Rows of each statement; absent where there is no database. Not while the program runs, for the embedded one. */
  query?(root: string, ...statements: string[]): Promise<Row[][]>;
  drop(): Promise<unknown>;
}

export type EngineName = 'none' | 'embedded' | 'postgres' | 'mysql';

export async function targetOf(engine: EngineName): Promise<Target> {
  switch (engine) {
    case 'none':
      return { config: 'database: { engine: none }\n', drop: async () => undefined };
    case 'embedded':
      return {
        config: 'database: { engine: embedded }\n',
        query: queryEmbedded,
        drop: async () => undefined,
      };
    case 'postgres':
      return serverTarget(engine, await freshPostgres());
    case 'mysql':
      return serverTarget(engine, await freshMysql());
  }
}

function serverTarget(engine: EngineName, fresh: FreshDatabase): Target {
  return {
    config: credentials(engine, fresh),
    query: (_root, ...statements) => Promise.all(statements.map((sql) => fresh.query(sql))),
    drop: () => fresh.drop(),
  };
}

/** db_creds.yaml for a server. YAML reads JSON. */
export function credentials(
  engine: EngineName,
  address: Pick<FreshDatabase, 'host' | 'port' | 'user' | 'password' | 'database'>,
): string {
  const { host, port, user, password, database } = address;
  return JSON.stringify({ database: { engine, host, port, user, password, database } });
}

/** Opens the data itself, as an independent reader does. */
async function queryEmbedded(root: string, ...statements: string[]): Promise<Row[][]> {
  const db = await PGlite.create(`${root}/state/embedded`);
  try {
    const answers: Row[][] = [];
    for (const sql of statements) answers.push((await db.query<Row>(sql)).rows);
    return answers;
  } finally {
    await db.close();
  }
}
