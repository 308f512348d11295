import type { SqlKind, SqlType } from '../base/sql-type.js';
import { type ColumnSpec, FIXED_WIDTH, physicalOf } from '../base/vector.js';
import { CONVERTED_TYPE, LOGICAL_TYPE, PHYSICAL_TYPE, REPETITION } from './format.js';
import { THRIFT, type ThriftWriter } from './thrift.js';

const SMALLINT_BITS = 16;
/** Member of the union TimeUnit. */
const TIME_UNIT_MICROS = 2;

/** Writes the schema as field 2 of FileMetaData: a root, then one leaf a column. Spec: parquet.thrift, SchemaElement. */
export function putSchema(writer: ThriftWriter, columns: readonly ColumnSpec[]): void {
  writer.list(2, { type: THRIFT.struct, size: columns.length + 1 });
  writer.element();
  writer.text(4, 'schema');
  writer.i32(5, columns.length);
  writer.end();
  for (const column of columns) putColumn(writer, column);
}

function putColumn(writer: ThriftWriter, { name, type, nullable }: ColumnSpec): void {
  const physical = physicalOf(type);
  const annotation = ANNOTATIONS[type.kind];
  writer.element();
  writer.i32(1, PHYSICAL_TYPE[physical]);
  if (physical === 'fixed') writer.i32(2, FIXED_WIDTH);
  writer.i32(3, nullable ? REPETITION.optional : REPETITION.required);
  writer.text(4, name);
  if (annotation?.converted !== undefined) writer.i32(6, annotation.converted);
  if (type.kind === 'decimal') {
    writer.i32(7, type.scale!);
    writer.i32(8, type.precision!);
  }
  if (annotation) putLogicalType(writer, { type, logical: annotation.logical });
  writer.end();
}

/**
 * How a column is annotated: ConvertedType, for readers from before logical types, and member of the union
 * LogicalType. Kinds that are absent need nothing beside their physical type.
 * Spec: LogicalTypes.md, which wants the converted type for local times, too.
 */
const ANNOTATIONS: Partial<Record<SqlKind, { converted?: number; logical: number }>> = {
  smallint: { converted: CONVERTED_TYPE.int16, logical: LOGICAL_TYPE.integer },
  decimal: { converted: CONVERTED_TYPE.decimal, logical: LOGICAL_TYPE.decimal },
  char: { converted: CONVERTED_TYPE.utf8, logical: LOGICAL_TYPE.string },
  varchar: { converted: CONVERTED_TYPE.utf8, logical: LOGICAL_TYPE.string },
  text: { converted: CONVERTED_TYPE.utf8, logical: LOGICAL_TYPE.string },
  date: { converted: CONVERTED_TYPE.date, logical: LOGICAL_TYPE.date },
  time: { converted: CONVERTED_TYPE.timeMicros, logical: LOGICAL_TYPE.time },
  timestamp: { converted: CONVERTED_TYPE.timestampMicros, logical: LOGICAL_TYPE.timestamp },
  uuid: { logical: LOGICAL_TYPE.uuid },
  json: { converted: CONVERTED_TYPE.json, logical: LOGICAL_TYPE.json },
};

/** Writes the union LogicalType as field 10 of SchemaElement. */
function putLogicalType(writer: ThriftWriter, { type, logical }: { type: SqlType; logical: number }): void {
  writer.struct(10);
  writer.struct(logical);
  switch (logical) {
    case LOGICAL_TYPE.decimal:
      writer.i32(1, type.scale!);
      writer.i32(2, type.precision!);
      break;
    case LOGICAL_TYPE.time:
    case LOGICAL_TYPE.timestamp:
      writer.bool(1, type.zoned === true);
      writer.struct(2);
      writer.emptyStruct(TIME_UNIT_MICROS);
      writer.end();
      break;
    case LOGICAL_TYPE.integer:
      writer.i8(1, SMALLINT_BITS);
      writer.bool(2, true);
      break;
  }
  writer.end();
  writer.end();
}
