import { setImmediate } from 'node:timers/promises';
import type { SqlKind } from '../base/sql-type.js';
import { type ColumnSpec, physicalOf, type TypedColumn, Vector } from '../base/vector.js';
import { VERSION } from '../base/version.js';
import type { QueryResult, SqlValue } from '../load/engine.js';
import { openCodec } from '../write/codec.js';
import { ParquetFile } from '../write/parquet-file.js';
import { encodeRowGroup } from '../write/row-group.js';
import { textOf, uniqueNames } from './result-lines.js';

/** A row group of this size takes some milliseconds, after which others have their turn. */
const GROUP_ROWS = 4096;

/**
 * The rows of a result as a Parquet file, piece by piece. Types follow from the values: BOOLEAN, BIGINT and DOUBLE where
 * all values of a column are such, text for the rest.
 */
export async function* parquetPieces({ columns, rows }: QueryResult): AsyncGenerator<Uint8Array> {
  const codec = await openCodec('snappy');
  const pieces: Uint8Array[] = [];
  const names = uniqueNames(columns);
  const specs: ColumnSpec[] = names.map((name, index) => ({
    ...{ name, type: { kind: kindOf(rows, index) }, nullable: true },
  }));
  const sink = { write: (bytes: Uint8Array) => pieces.push(bytes.slice()) };
  const file = new ParquetFile({ sink, columns: specs, version: VERSION });
  for (let from = 0; from < rows.length; from += GROUP_ROWS) {
    const group = rows.slice(from, from + GROUP_ROWS);
    const data = specs.map((spec, index) => columnOf(group, { spec, index }));
    file.append(encodeRowGroup({ columns: specs, data, rowCount: group.length, codec }));
    yield* pieces.splice(0);
    await setImmediate();
  }
  file.finish({});
  yield* pieces;
}

function kindOf(rows: readonly SqlValue[][], index: number): SqlKind {
  let kind: SqlKind | undefined;
  for (const row of rows) {
    const own = kindOfValue(row[index]);
    if (own === undefined || own === kind) continue;
    const isMixedNumber = own !== 'boolean' && own !== 'text' && (kind === 'bigint' || kind === 'double');
    if (kind === undefined) kind = own;
    else if (isMixedNumber) kind = 'double';
    else return 'text';
  }
  return kind ?? 'text';
}

function kindOfValue(value: SqlValue): SqlKind | undefined {
  if (value === null) return undefined;
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? 'bigint' : 'text';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'bigint' : 'double';
  return 'text';
}

function columnOf(
  rows: readonly SqlValue[][],
  { spec, index }: { spec: ColumnSpec; index: number },
): TypedColumn {
  const values = new Vector(physicalOf(spec.type), rows.length);
  const nulls = new Uint8Array(rows.length);
  rows.forEach((row, at) => {
    const value = row[index];
    if (value === null) {
      nulls[at] = 1;
      values.pushZero();
    } else if (spec.type.kind === 'boolean') values.pushBoolean(value as boolean);
    else if (spec.type.kind === 'bigint') values.pushBigInt(BigInt(value as number | bigint));
    else if (spec.type.kind === 'double') values.pushDouble(Number(value));
    else values.pushText(textOf(value));
  });
  return { values, nulls };
}
