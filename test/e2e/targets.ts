import { type FreshDatabase, freshMysql, freshPostgres } from '../helpers/databases.js';

/** A database for a site, and its end. */
export interface Target {
  /** Text of db_creds.yaml. */
  config: string;
  drop(): Promise<void>;
}

/** The engines that every promise must hold on. */
export const TARGETS: Record<string, () => Promise<Target>> = {
  embedded: async () => ({ config: 'database: { engine: embedded }\n', drop: async () => undefined }),
  postgres: async () => serverTarget('postgres', await freshPostgres()),
  mysql: async () => serverTarget('mysql', await freshMysql()),
};

function serverTarget(engine: string, server: FreshDatabase): Target {
  const { host, port, user, password, database } = server;
  return {
    // JSON is YAML.
    config: JSON.stringify({ database: { engine, host, port, user, password, database } }),
    drop: () => server.drop(),
  };
}
