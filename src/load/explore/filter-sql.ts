import { DropgateError } from '../../base/errors.js';
import { quoteValue } from '../../base/text.js';
import type { ChartFilter } from './chart-spec.js';
import { classOf, type ExploredColumn, type ExploredTable, findColumn } from './column.js';
import type { StatementWriter } from './statement.js';

const SIGNS = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' };

/** ` WHERE …`, or nothing. @throws DropgateError `usage` for unknown columns and values that the column cannot have */
export function whereSql(
  writer: StatementWriter,
  {
    table,
    filters,
    present = [],
  }: { table: ExploredTable; filters: ChartFilter[]; present?: ExploredColumn[] },
): string {
  const parts = filters.map((filter) =>
    conditionSql(writer, { column: findColumn(table, filter.column), filter }),
  );
  for (const column of present) parts.push(`${writer.column(column)} IS NOT NULL`);
  return parts.length > 0 ? ` WHERE ${parts.join(' AND ')}` : '';
}

function conditionSql(
  writer: StatementWriter,
  { column, filter }: { column: ExploredColumn; filter: ChartFilter },
): string {
  const { op } = filter;
  const name = writer.column(column);
  switch (op) {
    case 'is_null':
      return `${name} IS NULL`;
    case 'not_null':
      return `${name} IS NOT NULL`;
    case 'in': {
      const values = [filter.value ?? []].flat();
      if (values.length === 0) return '1 = 0';
      return `${operand(writer, column)} IN (${values.map((value) => writer.compared(column, value)).join(', ')})`;
    }
    case 'contains':
      return containsSql(writer, { column, text: one(filter) });
    case 'ne':
      return `(${name} IS NULL OR ${operand(writer, column)} <> ${writer.compared(column, one(filter))})`;
    default:
      return `${operand(writer, column)} ${SIGNS[op]} ${writer.compared(column, one(filter))}`;
  }
}

/** What stands left of the sign. */
function operand(writer: StatementWriter, column: ExploredColumn): string {
  return classOf(column) === 'text' ? writer.wholeText(column) : writer.column(column);
}

/** Without LIKE, whose wildcards the value may hold. */
function containsSql(
  writer: StatementWriter,
  { column, text }: { column: ExploredColumn; text: string },
): string {
  const whole = writer.wholeText(column);
  const value = writer.value(text);
  return writer.dialect === 'postgres'
    ? `STRPOS(${whole}, CAST(${value} AS text)) > 0`
    : `LOCATE(${value}, ${whole}) > 0`;
}

function one({ column, op, value }: ChartFilter): string {
  if (typeof value === 'string') return value;
  throw new DropgateError('usage', `The filter on ${quoteValue(column)} with "${op}" wants one value.`);
}
