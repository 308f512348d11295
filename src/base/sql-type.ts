/** The logical types a column can be declared with; synonyms are folded into these. */
export type SqlKind =
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'decimal'
  | 'real'
  | 'double'
  | 'boolean'
  | 'char'
  | 'varchar'
  | 'text'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'uuid'
  | 'json';

export interface SqlType {
  kind: SqlKind;
  /** Largest number of characters of char(n) and varchar(n); absent for a varchar without length. */
  length?: number;
  /** Total digits of decimal(p,s). */
  precision?: number;
  /** Digits after the point of decimal(p,s). */
  scale?: number;
  /** A timestamp that denotes an instant (TIMESTAMP WITH TIME ZONE); values are kept in UTC. */
  zoned?: boolean;
}

const DEFAULT_DECIMAL = { precision: 18, scale: 3 };
const MAX_DECIMAL_PRECISION = 38;

const SYNONYMS: Record<string, SqlKind> = {
  smallint: 'smallint',
  int2: 'smallint',
  tinyint: 'smallint',
  integer: 'integer',
  int: 'integer',
  int4: 'integer',
  mediumint: 'integer',
  serial: 'integer',
  bigint: 'bigint',
  int8: 'bigint',
  long: 'bigint',
  bigserial: 'bigint',
  decimal: 'decimal',
  numeric: 'decimal',
  number: 'decimal',
  dec: 'decimal',
  real: 'real',
  float4: 'real',
  double: 'double',
  'double precision': 'double',
  float: 'double',
  float8: 'double',
  boolean: 'boolean',
  bool: 'boolean',
  char: 'char',
  character: 'char',
  nchar: 'char',
  bpchar: 'char',
  varchar: 'varchar',
  'character varying': 'varchar',
  nvarchar: 'varchar',
  varchar2: 'varchar',
  text: 'text',
  string: 'text',
  clob: 'text',
  longtext: 'text',
  mediumtext: 'text',
  tinytext: 'text',
  date: 'date',
  time: 'time',
  'time without time zone': 'time',
  timestamp: 'timestamp',
  datetime: 'timestamp',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamp',
  timestamptz: 'timestamp',
  uuid: 'uuid',
  json: 'json',
  jsonb: 'json',
};

/**
 * Reads a SQL type such as `VARCHAR(10)`, `decimal(12, 2)` or `Double Precision`, in any letter case.
 * Returns undefined for a type that Dropgate does not know or whose arguments make no sense.
 */
export function parseSqlType(text: string): SqlType | undefined {
  const match =
    /^\s*([a-z][a-z0-9 ]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?(\s+with(?:out)?\s+time\s+zone)?\s*$/i.exec(
      text,
    );
  if (!match) return undefined;
  const name = `${match[1]}${match[4] ?? ''}`.toLowerCase().replace(/\s+/g, ' ');
  const first = match[2] === undefined ? undefined : Number(match[2]);
  const second = match[3] === undefined ? undefined : Number(match[3]);
  const kind = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : undefined;
  if (!kind) return undefined;
  switch (kind) {
    case 'decimal':
      return decimalType(first, second);
    case 'char':
      return second === undefined && first !== 0 ? { kind, length: first ?? 1 } : undefined;
    case 'varchar':
      if (second !== undefined || first === 0) return undefined;
      return first === undefined ? { kind } : { kind, length: first };
    case 'timestamp': {
      const zoned = name === 'timestamptz' || name === 'timestamp with time zone';
      return second === undefined ? { kind, ...(zoned && { zoned }) } : undefined;
    }
    default:
      // Display widths such as INT(11) and fractional digits such as TIME(3) carry no meaning here.
      return second === undefined ? { kind } : undefined;
  }
}

function decimalType(precision?: number, scale = 0): SqlType | undefined {
  if (precision === undefined) return { kind: 'decimal', ...DEFAULT_DECIMAL };
  if (precision < 1 || precision > MAX_DECIMAL_PRECISION || scale > precision) return undefined;
  return { kind: 'decimal', precision, scale };
}

/** The type in standard SQL notation, as shown in messages: `VARCHAR(10)`, `DECIMAL(12,2)`. */
export function formatSqlType(type: SqlType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`;
    case 'char':
    case 'varchar':
      return type.length === undefined ? 'VARCHAR' : `${type.kind.toUpperCase()}(${type.length})`;
    case 'timestamp':
      return type.zoned ? 'TIMESTAMPTZ' : 'TIMESTAMP';
    default:
      return type.kind.toUpperCase();
  }
}
