import type { Session, SqlDialect } from './engine.js';
import { quoteName, quoteNames } from './quote.js';
import type { TargetTable } from './target-table.js';

const STAGE = 'dropgate_stage';
/** Numbers the rows of the file, so that the last of several rows with the same key wins. */
const SEQUENCE = 'dropgate_sequence';

export interface UpsertSource {
  dialect: SqlDialect;
  table: TargetTable;
  /** COPY text in the order of the table's columns. */
  chunks: AsyncIterable<Uint8Array>;
}

/**
 * Inserts rows, or updates those whose key is there: loads into a temporary table first, since neither COPY nor
 * LOAD DATA can update. Returns the number of rows that the server took from the file.
 */
export async function upsertRows(
  session: Session,
  { dialect, table, chunks }: UpsertSource,
): Promise<number> {
  const sql = dialect === 'postgres' ? postgresUpsert(table) : mysqlUpsert(table);
  for (const statement of sql.createStage) await session.execute(statement);
  const columns = table.columns.map(({ name }) => name);
  const taken = await session.copyIn(STAGE, columns, chunks);
  await session.execute(sql.merge);
  await session.execute(sql.dropStage);
  return taken;
}

interface UpsertSql {
  createStage: string[];
  merge: string;
  dropStage: string;
}

function postgresUpsert({ name, columns, key }: TargetTable): UpsertSql {
  const quote = (text: string) => quoteName('postgres', text);
  const [target, stage, sequence] = [name, STAGE, SEQUENCE].map(quote);
  const all = quoteNames('postgres', namesOf(columns));
  const keys = quoteNames('postgres', key);
  const updates = notIn(columns, key).map((column) => `${quote(column)} = EXCLUDED.${quote(column)}`);
  const onConflict = updates.length > 0 ? `DO UPDATE SET ${updates.join(', ')}` : 'DO NOTHING';
  return {
    createStage: [
      `CREATE TEMPORARY TABLE ${stage} ON COMMIT DROP AS SELECT ${all} FROM ${target} WITH NO DATA`,
      `ALTER TABLE ${stage} ADD COLUMN ${sequence} bigint GENERATED ALWAYS AS IDENTITY`,
    ],
    merge: `INSERT INTO ${target} (${all})
      SELECT DISTINCT ON (${keys}) ${all} FROM ${stage} ORDER BY ${keys}, ${sequence} DESC
      ON CONFLICT (${keys}) ${onConflict}`,
    dropStage: `DROP TABLE ${stage}`,
  };
}

/** MySQL takes the rows in their order, so that later ones update what earlier ones inserted. */
function mysqlUpsert({ name, columns, key }: TargetTable): UpsertSql {
  const quote = (text: string) => quoteName('mysql', text);
  const [target, stage, sequence] = [name, STAGE, SEQUENCE].map(quote);
  const all = quoteNames('mysql', namesOf(columns));
  const updated = notIn(columns, key);
  const updates = (updated.length > 0 ? updated : key)
    .map(quote)
    .map((column) => `${target}.${column} = s.${column}`);
  const selected = namesOf(columns).map((column) => `s.${quote(column)}`);
  return {
    createStage: [
      // Creating it is not undone by ROLLBACK.
      `DROP TEMPORARY TABLE IF EXISTS ${stage}`,
      // In one statement: ALTER TABLE would end the transaction, even on a temporary table.
      `CREATE TEMPORARY TABLE ${stage} (${sequence} bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY)
        ENGINE = InnoDB SELECT ${all} FROM ${target} WHERE FALSE`,
    ],
    merge: `INSERT INTO ${target} (${all}) SELECT ${selected.join(', ')} FROM ${stage} AS s ORDER BY s.${sequence}
      ON DUPLICATE KEY UPDATE ${updates.join(', ')}`,
    dropStage: `DROP TEMPORARY TABLE ${stage}`,
  };
}

function namesOf(columns: TargetTable['columns']): string[] {
  return columns.map(({ name }) => name);
}

function notIn(columns: TargetTable['columns'], key: string[]): string[] {
  return namesOf(columns).filter((name) => !key.includes(name));
}
