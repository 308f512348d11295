import fs from 'node:fs';
import { DropgateError, messageOf } from '../base/errors.js';
import { formatDuration, plural, quoteValue } from '../base/text.js';
import type { Settings, TableSpec } from '../config/settings.js';
import { isLocked } from '../ledger/lock.js';
import type { Engine, SqlValue } from '../load/engine.js';
import { LEDGER_TABLE } from '../load/ledger-table.js';
import { quoteName } from '../load/quote.js';
import { tableDifferences } from '../load/table.js';
import { type Finding, Findings } from './finding.js';
import { withReadingEngine } from './reading-engine.js';

const TIMEOUT_MS = 10_000;
/** How long a process that holds the embedded database may take until its socket answers. */
const MAX_WAIT_MS = 5000;
const MAX_CLOCK_SKEW_MS = 5000;

/** Looks at the database: does it answer, may we do there what we must, are the tables as declared. Changes nothing. */
export async function examineDatabase(settings: Settings): Promise<Finding[]> {
  const findings = new Findings('database');
  const { database, folders } = settings;
  if (database.engine === 'none') {
    findings.ok('engine', 'none: files are converted, nothing is loaded');
    return findings.list;
  }
  const isNew =
    database.engine === 'embedded' && !fs.existsSync(database.dataDir) && !isLocked(folders.state);
  if (isNew) {
    findings.ok('engine', 'embedded, created at the first start');
    return findings.list;
  }
  try {
    await withReadingEngine(settings, (engine) => examine(findings, engine, settings), {
      maxWaitMs: MAX_WAIT_MS,
    });
  } catch (error) {
    noteFailure(findings, error);
  }
  return findings.list;
}

function noteFailure(findings: Findings, error: unknown): void {
  if (!(error instanceof DropgateError)) {
    const remedy =
      'Give the database user the right to read its catalogue, or look at the log of the server.';
    findings.error({ subject: 'connection', message: messageOf(error), remedy });
    return;
  }
  const { code, message, hint } = error;
  if (code === 'locked') {
    const remedy = 'Wait until it has started or ended, then look again.';
    findings.warning({ subject: 'connection', message, remedy, code });
    return;
  }
  findings.error({ subject: 'connection', message, remedy: hint, code });
}

async function examine(findings: Findings, engine: Engine, settings: Settings): Promise<void> {
  // `work` may be begun again when the owner of the embedded database ends.
  findings.list.length = 0;
  await examineConnection(findings, engine);
  const isReady =
    engine.dialect === 'postgres'
      ? await examineSchema(findings, engine, settings)
      : await examineMysql(findings, engine, settings);
  if (!isReady) return;
  for (const table of [...Object.values(settings.tables), LEDGER_TABLE]) {
    await examineTable(findings, engine, table);
  }
}

async function examineConnection(findings: Findings, engine: Engine): Promise<void> {
  const clock =
    engine.dialect === 'postgres'
      ? 'CAST(extract(epoch FROM clock_timestamp()) * 1000 AS double precision)'
      : 'UNIX_TIMESTAMP(NOW(3)) * 1000';
  const beforeMs = Date.now();
  const [version, theirs] = await readRow(engine, `SELECT version(), ${clock}`);
  const afterMs = Date.now();
  findings.ok('connection', `${engine.address}: ${String(version).split(/,| on /)[0]}`);
  const skewMs = Math.max(beforeMs - Number(theirs), Number(theirs) - afterMs, 0);
  if (skewMs <= MAX_CLOCK_SKEW_MS) return;
  findings.warning({
    subject: 'clock',
    message: `the clock of the database differs by ${formatDuration(skewMs)} from that of this machine`,
    remedy:
      'Let both take the time from the same source (NTP); loaded_at in dropgate_loads is the time of the database.',
  });
}

async function readRow(engine: Engine, sql: string): Promise<SqlValue[]> {
  const { rows } = await engine.readOnly(sql, { timeoutMs: TIMEOUT_MS });
  return rows[0];
}

/** False when there is no schema whose tables could be looked at. */
async function examineSchema(findings: Findings, engine: Engine, { database }: Settings): Promise<boolean> {
  const subject = 'rights';
  const [schema, mayCreateSchema, mayCreate, user] = await readRow(
    engine,
    `SELECT current_schema(), has_database_privilege(current_database(), 'CREATE'),
            has_schema_privilege(current_schema(), 'CREATE'), current_user`,
  );
  if (schema === null) {
    const wanted = database.engine === 'postgres' ? database.schema : undefined;
    if (wanted !== undefined && mayCreateSchema === true) {
      findings.ok('schema', `${quoteValue(wanted)} is created at the first load`);
    } else {
      findings.error({
        subject: 'schema',
        message: wanted
          ? `the schema ${quoteValue(wanted)} is missing, or ${user} may not use it, and may not create it`
          : `the search path of ${user} leads to no schema`,
        remedy:
          'Create the schema and grant USAGE and CREATE on it, or name another "schema" in db_creds.yaml.',
      });
    }
    return false;
  }
  if (mayCreate === true) findings.ok(subject, `${user} may create tables in the schema ${schema}`);
  else {
    findings.warning({
      subject,
      message: `${user} may not create tables in the schema ${schema}, so they must be there before the first load`,
      remedy: `GRANT CREATE ON SCHEMA ${schema} TO ${user};`,
    });
  }
  return true;
}

const MYSQL_GRANTS = `
  SELECT privilege_type AS name FROM information_schema.user_privileges WHERE grantee = ?
  UNION SELECT privilege_type FROM information_schema.schema_privileges WHERE grantee = ? AND DATABASE() LIKE table_schema`;

async function examineMysql(findings: Findings, engine: Engine, { tables }: Settings): Promise<boolean> {
  const [{ account, schema, allowed }] = await engine.query(
    'SELECT CURRENT_USER() AS account, DATABASE() AS `schema`, @@GLOBAL.local_infile AS allowed',
  );
  if (Number(allowed) === 1) findings.ok('local_infile', 'allowed, so that rows are loaded in bulk');
  else {
    findings.warning({
      subject: 'local_infile',
      message:
        'the server does not allow LOAD DATA LOCAL INFILE; rows are loaded with INSERT, which is slower',
      remedy: 'Set local_infile=ON on the server.',
    });
  }
  // 'user'@'host', as information_schema writes it.
  const grantee = `'${String(account).replace(/@([^@]*)$/, "'@'$1'")}`;
  const granted = (await engine.query(MYSQL_GRANTS, [grantee, grantee])).map(({ name }) => String(name));
  const missing = neededOnMysql(Object.values(tables)).filter((right) => !granted.includes(right));
  if (missing.length === 0) findings.ok('rights', `${account} has all rights that are needed on ${schema}`);
  else {
    findings.warning({
      subject: 'rights',
      message: `${account} has no grant of ${missing.join(', ')} on ${schema} (roles and grants on single tables are not looked into)`,
      remedy: `GRANT ${missing.join(', ')} ON \`${schema}\`.* TO ${grantee};`,
    });
  }
  return true;
}

function neededOnMysql(tables: readonly TableSpec[]): string[] {
  const modes = tables.map(({ mode }) => mode);
  return [
    ...['CREATE', 'SELECT', 'INSERT'],
    ...(modes.includes('upsert') ? ['UPDATE', 'CREATE TEMPORARY TABLES'] : []),
    ...(modes.includes('replace') ? ['DELETE'] : []),
  ];
}

async function examineTable(findings: Findings, engine: Engine, table: TableSpec): Promise<void> {
  const subject = `table ${table.name}`;
  const differences = await tableDifferences(engine, table);
  const missing = differences?.length === 0 ? await missingRights(engine, table) : [];
  if (differences === undefined) findings.ok(subject, 'is not there yet; it is created at the first load');
  else if (differences.length > 0) {
    const remedy = 'Alter the table or schema_sql.yaml, so that the named columns agree.';
    findings.error({ subject, message: differences.join('; '), remedy, code: 'table_differs' });
  } else if (missing.length > 0) {
    findings.error({
      subject,
      message: `the user of db_creds.yaml lacks ${missing.join(', ')}`,
      remedy: `GRANT ${missing.join(', ')} ON ${quoteName(engine.dialect, table.name)} TO that user.`,
    });
  } else findings.ok(subject, `has its ${plural(table.columns.length, 'column')}`);
}

/** What the loader does with a table, by the mode of the table. */
const POSTGRES_RIGHTS = {
  append: ['INSERT'],
  upsert: ['SELECT', 'INSERT', 'UPDATE'],
  replace: ['INSERT', 'DELETE'],
} as const;

/** On MySQL rights are looked at for the database as a whole. */
async function missingRights(engine: Engine, { name, mode }: TableSpec): Promise<string[]> {
  if (engine.dialect === 'mysql') return [];
  // The load ledger is also asked what has been loaded.
  const needed = name === LEDGER_TABLE.name ? ['SELECT', 'INSERT'] : POSTGRES_RIGHTS[mode];
  const missing: string[] = [];
  for (const right of needed) {
    const [row] = await engine.query('SELECT has_table_privilege(to_regclass($1), $2) AS granted', [
      quoteName('postgres', name),
      right,
    ]);
    if (row.granted !== true) missing.push(right);
  }
  return missing;
}
