import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import type { Engine } from '../../src/load/engine.js';
import { ensureLedgerTable, loadKey } from '../../src/load/ledger-table.js';
import { loadFiles } from '../../src/load/load-files.js';
import { copyText, readParquetInfo } from '../../src/load/parquet-source.js';
import { ensureTable } from '../../src/load/table.js';
import type { TargetTable } from '../../src/load/target-table.js';
import { bytesOf } from './support/copy.js';
import { duckdbParquet } from './support/parquet.js';
import { TARGETS, type Target } from './support/targets.js';

/** Column, its declared type, and its values as DuckDB literals. The first is NULL in every column. */
const COLUMNS: Record<string, { type: string; duckdb: string; values: string[] }> = {
  c_small: { type: 'SMALLINT', duckdb: 'SMALLINT', values: ['-32768', '32767', '0', '7'] },
  c_int: { type: 'INTEGER', duckdb: 'INTEGER', values: ['-2147483648', '2147483647', '0', '7'] },
  c_big: {
    type: 'BIGINT',
    duckdb: 'BIGINT',
    values: ['-9223372036854775808', '9223372036854775807', '9007199254740993', '-1'],
  },
  c_dec: {
    type: 'DECIMAL(38,10)',
    duckdb: 'DECIMAL(38,10)',
    values: [
      '-9999999999999999999999999999.9999999999',
      '9999999999999999999999999999.9999999999',
      '0.0000000001',
      '-0.1000000000',
    ],
  },
  c_dec9: {
    type: 'DECIMAL(9,2)',
    duckdb: 'DECIMAL(9,2)',
    values: ['-9999999.99', '9999999.99', '0.10', '1.00'],
  },
  c_dec18: {
    type: 'DECIMAL(18,3)',
    duckdb: 'DECIMAL(18,3)',
    values: ['-999999999999999.999', '999999999999999.999', '0.001', '9007199254740.993'],
  },
  c_double: {
    type: 'DOUBLE',
    duckdb: 'DOUBLE',
    values: ['1.7976931348623157e308', '-2.2250738585072014e-308', '0.1', '123456789.12345679'],
  },
  c_real: { type: 'REAL', duckdb: 'FLOAT', values: ['3.4028234e38', '-1.1754944e-38', '0.1', '16777216'] },
  c_bool: { type: 'BOOLEAN', duckdb: 'BOOLEAN', values: ['true', 'false', 'true', 'false'] },
  c_char: { type: 'CHAR(5)', duckdb: 'VARCHAR', values: ['abcde', 'é☃🐟ab', 'x', 'y'] },
  c_varchar: {
    type: 'VARCHAR(10)',
    duckdb: 'VARCHAR',
    values: ['🐟🐟🐟🐟🐟🐟🐟🐟🐟🐟', '', '\\N', 'tab\tnew\nl'],
  },
  c_text: {
    type: 'TEXT',
    duckdb: 'VARCHAR',
    values: ['\r\n\t\\\b\f\v', '\\.', 'a'.repeat(100_000), 'ünï "q" `b` \'s\' %_'],
  },
  c_date: { type: 'DATE', duckdb: 'DATE', values: ['0001-01-01', '9999-12-31', '1970-01-01', '2024-02-29'] },
  c_time: {
    type: 'TIME',
    duckdb: 'TIME',
    values: ['00:00:00', '23:59:59.999999', '12:30:00.5', '06:31:02.123'],
  },
  c_ts: {
    type: 'TIMESTAMP',
    duckdb: 'TIMESTAMP',
    values: [
      '0001-01-01 00:00:00',
      '9999-12-31 23:59:59.999999',
      '1969-12-31 23:59:59.999999',
      '2026-11-22 06:31:02.123456',
    ],
  },
  c_tstz: {
    type: 'TIMESTAMPTZ',
    duckdb: 'TIMESTAMPTZ',
    values: [
      '1000-01-01 00:00:00+00',
      '9999-12-31 23:59:59.999999+00',
      '2026-03-29 01:30:00+00',
      '2026-11-22 06:31:02.1+00',
    ],
  },
  c_uuid: {
    type: 'UUID',
    duckdb: 'UUID',
    values: [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '123e4567-e89b-12d3-a456-426614174000',
      '80000000-0000-0000-0000-000000000001',
    ],
  },
};
const ROWS = 4;

describe.each(Object.keys(TARGETS))('every type arrives as it was: %s', (name) => {
  let target: Target;
  let engine: Engine;
  beforeAll(async () => {
    target = await TARGETS[name]();
    engine = target.open();
    await ensureLedgerTable(engine);
  });
  afterAll(() => target?.dispose());

  test.each(['snappy', 'zstd', 'gzip'])('Parquet of DuckDB with %s', async (codec) => {
    const table = tableOf(`types_${codec}`);
    await ensureTable(engine, table);
    const path = await duckdbParquet(duckdbQuery(), `compression ${codec}`);
    const { rows } = await readParquetInfo(path);
    const sha256 = codec.padEnd(64, '0');
    const entry = { dataset: table.name, file: codec, sha256, rows };
    const file = { ...entry, loadKey: loadKey({ ...entry, identity: 'content' }) };
    const copyTextOf = () =>
      bytesOf(copyText({ paths: [path], columns: table.columns, dialect: engine.dialect }));
    const outcomes = await loadFiles({ engine, table, files: [file], copyTextOf });
    expect(outcomes).toEqual([{ status: 'loaded', rows: ROWS + 1 }]);

    const found = await engine.query(`SELECT ${selectList(engine)} FROM ${table.name} ORDER BY id`);
    expect(found[0]).toEqual({ id: 0, ...Object.fromEntries(Object.keys(COLUMNS).map((c) => [c, null])) });
    for (const [column, { values }] of Object.entries(COLUMNS)) {
      const read = found.slice(1).map((row) => comparable(column, String(row[column])));
      expect(read, column).toEqual(values.map((value) => comparable(column, value)));
    }
  });
});

function tableOf(name: string): TargetTable {
  const columns = Object.entries(COLUMNS).map(([column, { type }]) => ({
    name: column,
    type: parseSqlType(type)!,
  }));
  return {
    name,
    columns: [{ name: 'id', type: { kind: 'integer' } }, ...columns],
    key: [],
    mode: 'append',
    indexes: [],
  };
}

function duckdbQuery(): string {
  const row = (index: number) => {
    const cells = Object.entries(COLUMNS).map(([column, { duckdb, values }]) => {
      const literal = index === 0 ? 'NULL' : `'${values[index - 1].replaceAll("'", "''")}'`;
      return `CAST(${literal} AS ${duckdb}) AS ${column}`;
    });
    return `SELECT CAST(${index} AS INTEGER) AS id, ${cells.join(', ')}`;
  };
  return Array.from({ length: ROWS + 1 }, (_, index) => row(index)).join(' UNION ALL ');
}

/** Every column in the database's own text, floats in all their digits. */
function selectList({ dialect }: Engine): string {
  const asText = (column: string) => {
    if (dialect === 'postgres') {
      if (column === 'c_bool') return `CASE WHEN ${column} THEN 'true' WHEN NOT ${column} THEN 'false' END`;
      return column === 'c_real' ? `${column}::float8::text` : `${column}::text`;
    }
    if (column === 'c_bool') return `CASE ${column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END`;
    return column === 'c_real' ? `CAST(${column} + 0e0 AS CHAR)` : `CAST(${column} AS CHAR)`;
  };
  return ['id', ...Object.keys(COLUMNS).map((column) => `${asText(column)} AS ${column}`)].join(', ');
}

/** One notation for both sides: numbers by value, times without trailing zeros, padding of CHAR removed. */
function comparable(column: string, value: string): unknown {
  switch (column) {
    case 'c_real':
      return Math.fround(Number(value));
    case 'c_double':
      return Number(value);
    case 'c_char':
      return value.trimEnd();
    case 'c_time':
    case 'c_ts':
    case 'c_tstz':
      return value.replace(/\+00$/, '').replace(/\.(\d*?)0*$/, (_, digits) => (digits ? `.${digits}` : ''));
    default:
      return value;
  }
}
