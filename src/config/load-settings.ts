import path from 'node:path';
import { ConfigFile } from './config-file.js';
import { readDatabase } from './database.js';
import { readContract } from './datasets.js';
import type { Environment } from './env.js';
import { Problems } from './problems.js';
import { readProgram } from './program.js';
import type { Settings } from './settings.js';
import { nameAfterTable, readTables } from './tables.js';

/** Where the configuration is and what its `${NAME}` refer to. */
export interface LoadOptions {
  /** Root folder; made absolute. */
  root: string;
  /** Folder of the configuration files; made absolute. */
  configDir: string;
  env: Environment;
}

/**
 * Reads `dropgate.yaml`, `schema.yaml`, `schema_sql.yaml` and `db_creds.yaml`, checks them, and returns all settings,
 * complete and deeply frozen.
 * @throws DropgateError `config_missing`, `config_syntax` or `config_invalid` that names every mistake with its file,
 *   line and key.
 */
export function loadSettings(options: LoadOptions): Settings {
  const root = path.resolve(options.root);
  const configDir = path.resolve(options.configDir);
  const problems = new Problems();
  const site = { root, configDir, env: options.env, problems };
  const warnings: string[] = [];

  const programFile = new ConfigFile(site, 'dropgate.yaml');
  const contractFile = new ConfigFile(site, 'schema.yaml');
  const tablesFile = new ConfigFile(site, 'schema_sql.yaml');
  const databaseFile = new ConfigFile(site, 'db_creds.yaml', { secret: true });

  const program = readProgram(programFile, { root, configDir });
  const nameShortForm = (columnNames: string[]) => nameAfterTable(tablesFile, columnNames);
  const contract = readContract(contractFile, { nameShortForm, warnings });
  const stateDir = program?.folders.state ?? root;
  const database = readDatabase(databaseFile, { configDir, stateDir, warnings });
  const tables = readTables(tablesFile, { contract, contractFile, engine: database.engine, warnings });

  problems.throwIfAny();
  return deepFreeze({
    ...{ root, configDir, ...program!, database, warnings },
    ...{ datasets: contract!.datasets, tables },
  });
}

/** Freezes a tree of plain objects and lists. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
