import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errnoOf } from '../base/errors.js';
import type { ConfigFile } from './config-file.js';
import { credentialsSchema } from './schemas.js';
import type { DatabaseSettings, ServerAddress, SslSettings } from './settings.js';
import { checkShape } from './shape.js';
import { show } from './wording.js';
import type { KeyPath } from './yaml-tree.js';

/** Longest path of a Unix socket that every system takes (Linux: 107 bytes, macOS: 103). */
const MAX_SOCKET_PATH_BYTES = 100;
const SOCKET_NAME = '.s.PGSQL.5432';
const DEFAULT_PORTS = { postgres: 5432, mysql: 3306 };
const READABLE_BY_ALL = 0o004;

type Engine = DatabaseSettings['engine'];

interface RawDatabase {
  engine?: Engine;
  host: string;
  port?: number | string;
  user?: string;
  password: string;
  database?: string;
  schema?: string;
  ssl?: boolean | { ca?: string; cert?: string; key?: string; reject_unauthorized: boolean };
}

/** What {@link readDatabase} needs to know from elsewhere. */
export interface DatabaseOptions {
  configDir: string;
  /** Folder of the state. */
  stateDir: string;
  warnings: string[];
}

/** Reads `db_creds.yaml`; without it, or without anything in it, the database is the embedded one. */
export function readDatabase(file: ConfigFile, options: DatabaseOptions): DatabaseSettings {
  warnOfReaders(file, options.warnings);
  const engineNode = file.nodeAt(['database', 'engine']);
  const needsNoServer = engineNode?.kind === 'scalar' && ['embedded', 'none'].includes(engineNode.text);
  const { database: raw } = checkShape(file, credentialsSchema, {
    emptyIsAbsent: true,
    ignores: (at) => needsNoServer && at.length > 1 && at[1] !== 'engine',
  }) as { database?: RawDatabase };
  if (file.isFaulty() || !raw || nothingGiven(file)) return embedded(options.stateDir);
  const port = raw.port === undefined ? undefined : Number(raw.port);
  const engine = raw.engine ?? engineOfPort(file, port);
  if (engine === 'none') return { engine };
  if (engine === undefined || engine === 'embedded') return embedded(options.stateDir);
  const address = readAddress(file, { ...raw, port: port ?? DEFAULT_PORTS[engine] });
  const ssl = readSsl(file, { raw: raw.ssl, configDir: options.configDir });
  if (ssl) address.ssl = ssl;
  if (engine === 'mysql') {
    if (raw.schema !== undefined)
      file.complain(['database', 'schema'], 'only Postgres has schemas; name the database in "database"');
    return { engine, ...address };
  }
  return { engine, ...(raw.schema !== undefined && { schema: raw.schema }), ...address };
}

function nothingGiven(file: ConfigFile): boolean {
  const node = file.nodeAt(['database']);
  if (node?.kind !== 'map') return true;
  return [...node.entries.values()].every(
    ({ node: value }) => value.kind === 'scalar' && value.value === null,
  );
}

function engineOfPort(file: ConfigFile, port: number | undefined): Engine | undefined {
  if (port === DEFAULT_PORTS.mysql) return 'mysql';
  if (port === DEFAULT_PORTS.postgres) return 'postgres';
  const reason = port === undefined ? 'no port is given' : `port ${port} does not tell which it is`;
  file.complain(
    ['database', 'engine'],
    `missing, and ${reason}; expected one of postgres, mysql, embedded, none`,
  );
  return undefined;
}

function readAddress(file: ConfigFile, raw: RawDatabase & { port: number }): ServerAddress {
  const { host, port, user, password, database } = raw;
  if (port < 1 || port > 65_535)
    file.complain(['database', 'port'], `found ${port}, expected a port from 1 to 65535`);
  if (user === undefined)
    file.complain(['database', 'user'], 'missing; expected the name of a database user');
  if (database === undefined)
    file.complain(['database', 'database'], 'missing; expected the name of a database');
  return { host, port, user: user ?? '', password, database: database ?? '' };
}

function readSsl(
  file: ConfigFile,
  { raw, configDir }: { raw: RawDatabase['ssl']; configDir: string },
): SslSettings | undefined {
  if (raw === undefined || raw === false) return undefined;
  if (raw === true) return { rejectUnauthorized: true };
  const ssl: SslSettings = { rejectUnauthorized: raw.reject_unauthorized };
  for (const part of ['ca', 'cert', 'key'] as const) {
    const name = raw[part];
    const pem =
      name === undefined ? undefined : readPem(file, { at: ['database', 'ssl', part], configDir, name });
    if (pem !== undefined) ssl[part] = pem;
  }
  if ((raw.cert === undefined) !== (raw.key === undefined)) {
    file.complain(['database', 'ssl'], 'cert and key are given together or not at all');
  }
  return ssl;
}

function readPem(
  file: ConfigFile,
  { at, configDir, name }: { at: KeyPath; configDir: string; name: string },
): string | undefined {
  if (name.includes('-----BEGIN')) {
    file.complain(at, 'expected the path of a PEM file, found its content');
    return undefined;
  }
  try {
    const text = fs.readFileSync(path.resolve(configDir, name), 'utf8');
    if (text.includes('-----BEGIN')) return text;
    file.complain(at, `the file ${show(name)} is not in PEM format`);
  } catch (error) {
    const relation = path.isAbsolute(name) ? '' : ` (relative to ${configDir})`;
    file.complain(
      at,
      `the file ${show(name)}${relation} cannot be read: ${errnoOf(error) ?? 'unknown reason'}`,
    );
  }
  return undefined;
}

/** Warns of a password that stands in a file that everybody on the machine can read. */
function warnOfReaders(file: ConfigFile, warnings: string[]): void {
  const password = file.nodeAt(['database', 'password']);
  const literal = password?.kind === 'scalar' && password.value !== null && password.literal !== '';
  // Windows knows no such permission bits and reports all of them.
  if (!literal || process.platform === 'win32' || (file.mode & READABLE_BY_ALL) === 0) return;
  const remedy = `run "chmod 600 ${file.path}", or write \${DB_PASSWORD} and set that variable`;
  warnings.push(
    `${file.placeOf(['database', 'password'])}: everybody on this machine can read the password: ${remedy}`,
  );
}

function embedded(stateDir: string): DatabaseSettings {
  return { engine: 'embedded', dataDir: path.join(stateDir, 'embedded'), socketDir: socketDirFor(stateDir) };
}

/**
 * Folder of the embedded database's Unix socket: in the state folder, or, when the path would be longer than sockets
 * allow, in the system's folder for temporary files under a name that follows from the state folder.
 */
function socketDirFor(stateDir: string): string {
  const inside = path.join(stateDir, 'run');
  if (Buffer.byteLength(path.join(inside, SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES) return inside;
  const digest = createHash('sha256').update(stateDir).digest('hex').slice(0, 16);
  return path.join(os.tmpdir(), `dropgate-${digest}`);
}
