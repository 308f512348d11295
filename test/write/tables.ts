import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { SqlType } from '../../src/base/sql-type.js';
import { type ColumnSpec, NULL_ID, physicalOf, type TypedColumn, Vector } from '../../src/base/vector.js';
import { type CodecName, openCodec } from '../../src/write/codec.js';
import { ParquetFile } from '../../src/write/parquet-file.js';
import { encodeRowGroup } from '../../src/write/row-group.js';

/**
 * A value as tests spell it, by physical type: boolean; number for int32, float and double; bigint for int64 and
 * for decimals beyond 18 digits (unscaled); text for bytes and, in its usual notation, for UUID.
 */
export type TestValue = boolean | number | bigint | string | null;

const TEXT = new TextDecoder('utf-8', { ignoreBOM: true });

export interface TestColumn {
  name: string;
  type: SqlType;
  nullable?: boolean;
  values: TestValue[];
  /** Dictionary mode unless said otherwise. */
  mode?: 'dictionary' | 'plain';
}

export interface WriteOptions {
  codec?: CodecName;
  /** Rows of a row group; all of them by default. */
  groupRows?: number;
  metadata?: Record<string, string>;
}

/** Writes the columns as one Parquet file in memory. */
export async function writeParquet(columns: TestColumn[], options: WriteOptions = {}): Promise<Uint8Array> {
  const codec = await openCodec(options.codec ?? 'snappy');
  const specs = columns.map(specOf);
  const chunks: Uint8Array[] = [];
  const file = new ParquetFile({
    sink: { write: (bytes) => chunks.push(bytes.slice()) },
    columns: specs,
    version: '1.2.3',
  });
  const rowCount = columns[0].values.length;
  const groupRows = options.groupRows ?? Math.max(1, rowCount);
  for (let from = 0; from < rowCount; from += groupRows) {
    const to = Math.min(from + groupRows, rowCount);
    const data = columns.map((column) => typedColumn(column, from, to));
    file.append(encodeRowGroup({ columns: specs, data, rowCount: to - from, codec }));
  }
  const result = file.finish(options.metadata ?? {});
  const bytes = new Uint8Array(Buffer.concat(chunks));
  if (result.byteLength !== bytes.length)
    throw new Error(`${result.byteLength} bytes told, ${bytes.length} written`);
  if (result.rowCount !== rowCount) throw new Error(`${result.rowCount} rows told, ${rowCount} given`);
  return bytes;
}

export function specOf({ name, type, nullable }: TestColumn): ColumnSpec {
  return { name, type, nullable: nullable ?? false };
}

/** The rows `[from .. to)` of a column as the stages before hand it over. */
export function typedColumn({ type, values, mode }: TestColumn, from = 0, to = values.length): TypedColumn {
  const vector = new Vector(physicalOf(type));
  if (mode === 'plain') {
    const nulls = new Uint8Array(to - from);
    for (let row = from; row < to; row++) {
      nulls[row - from] = values[row] === null ? 1 : 0;
      if (values[row] === null) vector.pushZero();
      else push(vector, values[row]!);
    }
    return { values: vector, ...(nulls.includes(1) && { nulls }) };
  }
  // Values of other row groups stay in the dictionary, as they do where a column is read in batches.
  const known = new Map<string, number>();
  const ids = values.map((value) => {
    if (value === null) return NULL_ID;
    const key = Object.is(value, -0) ? '-0' : String(value);
    const id = known.get(key) ?? known.size;
    if (id === known.size) {
      known.set(key, id);
      push(vector, value);
    }
    return id;
  });
  return { ids: Uint32Array.from(ids.slice(from, to)), values: vector };
}

function push(vector: Vector, value: NonNullable<TestValue>): void {
  switch (vector.physical) {
    case 'boolean':
      vector.pushBoolean(value as boolean);
      break;
    case 'int32':
      vector.pushInt32(value as number);
      break;
    case 'int64':
      vector.pushBigInt(value as bigint);
      break;
    case 'float':
      vector.pushFloat(value as number);
      break;
    case 'double':
      vector.pushDouble(value as number);
      break;
    case 'bytes':
      vector.pushText(value as string);
      break;
    case 'fixed':
      vector.pushBytes(typeof value === 'bigint' ? bigEndian(value) : uuidBytes(value as string), 0, 16);
      break;
  }
}

/** 16 bytes of two's complement. */
export function bigEndian(value: bigint): Uint8Array {
  const hex = BigInt.asUintN(128, value).toString(16).padStart(32, '0');
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function fromBigEndian(bytes: Uint8Array): bigint {
  return BigInt.asIntN(128, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

export function uuidBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

export function metadataOf(file: Uint8Array): FileMetaData {
  return parquetMetadata(file, {
    parsers: { timestampFromMicroseconds: (micros) => micros, dateFromDays: (days) => days },
  });
}

/** Reads a file with hyparquet: columns of {@link TestValue} by name. */
export async function readWithHyparquet(file: Uint8Array): Promise<Record<string, TestValue[]>> {
  const metadata = metadataOf(file);
  const decimals = new Set(metadata.schema.filter((e) => e.converted_type === 'DECIMAL').map((e) => e.name));
  // Without its annotation a decimal arrives unscaled and exact instead of as a rounded number.
  for (const element of metadata.schema) {
    if (decimals.has(element.name))
      Object.assign(element, { converted_type: undefined, logical_type: undefined });
  }
  const { buffer } = file.slice();
  const rows = await parquetReadObjects({
    file: { byteLength: file.length, slice: (start, end) => buffer.slice(start, end) },
    metadata,
    compressors,
    parsers: {
      timestampFromMicroseconds: (micros) => micros,
      dateFromDays: (days) => days,
      // hyparquet's own decoder drops a byte order mark that is part of a value.
      stringFromBytes: (bytes) => TEXT.decode(bytes),
      jsonFromBytes: (bytes) => Buffer.from(bytes).toString(),
    },
  });
  return Object.fromEntries(
    metadata.schema
      .slice(1)
      .map(({ name }) => [
        name,
        rows.map(({ [name]: value }) =>
          value instanceof Uint8Array ? fromBigEndian(value) : (value ?? null),
        ),
      ]),
  );
}

/** A DuckDB with a folder for files, for one test file; dispose of it afterwards. */
export class Duck {
  readonly folder = mkdtempSync(join(tmpdir(), 'dropgate-write-'));
  readonly #connection: Promise<DuckDBConnection> = DuckDBInstance.create().then((db) => db.connect());

  /** Runs a statement in which `$file` stands for the Parquet file. */
  async query(file: Uint8Array, sql: string): Promise<Record<string, unknown>[]> {
    const path = join(this.folder, 'test.parquet');
    writeFileSync(path, file);
    const reader = await (await this.#connection).runAndReadAll(sql.replaceAll('$file', `'${path}'`));
    return reader.getRowObjects();
  }

  /** Reads a file: columns of {@link TestValue} by name. */
  async read(file: Uint8Array): Promise<Record<string, TestValue[]>> {
    const rows = await this.query(file, 'SELECT * FROM $file');
    const names = metadataOf(file).schema.slice(1);
    return Object.fromEntries(names.map(({ name }) => [name, rows.map((row) => plainValue(row[name]))]));
  }

  async close(): Promise<void> {
    (await this.#connection).closeSync();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function plainValue(value: unknown): TestValue {
  if (value === null || typeof value !== 'object') return value as TestValue;
  const parts = value as { days?: number; micros?: bigint; value?: bigint };
  return parts.days ?? parts.micros ?? parts.value ?? String(value);
}
