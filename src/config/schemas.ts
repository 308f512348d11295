import type { SchemaObject } from 'ajv';
import { alertsSchema } from './alerts.js';
import { authSchema } from './auth.js';
import { dashboardSchema } from './dashboard-schema.js';
import { expectSchema } from './expectation.js';

/*
 * The JSON Schemas of the configuration files. `description` completes "expected …" in messages; `default` is filled
 * in by ajv; `sqlType` is a keyword of ours (see compile-schema.ts).
 */

/** The longest delay that a timer of Node.js can take. */
const MAX_TIMER_MS = 2_147_483_647;
const CASES = ['lower', 'upper', 'keep'];

const name: SchemaObject = { type: 'string', minLength: 1, pattern: '^[^\\u0000]+$', description: 'a name' };
const folder = (fallback?: string): SchemaObject => ({
  type: 'string',
  minLength: 1,
  pattern: '^[^\\u0000]+$',
  description: 'a path',
  ...(fallback !== undefined && { default: fallback }),
});
const oneOf = (...words: string[]): SchemaObject => ({ type: 'string', enum: words, default: words[0] });
const milliseconds = (fallback: number, minimum = 0): SchemaObject => ({
  ...{ type: 'integer', minimum, maximum: MAX_TIMER_MS, default: fallback },
  description: `a number of milliseconds from ${minimum} to ${MAX_TIMER_MS}`,
});
const count = (fallback: number | undefined, minimum: number, maximum: number): SchemaObject => ({
  ...{ type: 'integer', minimum, maximum, ...(fallback !== undefined && { default: fallback }) },
  description: `a whole number from ${minimum} to ${maximum}`,
});
const yesOrNo = (fallback: boolean): SchemaObject => ({ type: 'boolean', default: fallback });
const mapping = (properties: Record<string, SchemaObject>): SchemaObject => {
  return { type: 'object', additionalProperties: false, properties };
};
const section = (properties: Record<string, SchemaObject>): SchemaObject => {
  return { ...mapping(properties), default: {} };
};

/** `dropgate.yaml`. */
export const programSchema: SchemaObject = mapping({
  folders: section({
    input: folder('input_csv'),
    archive: folder(),
    failed: folder(),
    output: folder('output_parquet'),
    output_failed: folder(),
    sql: folder('sql'),
    state: folder('state'),
    log_file: folder('conversion_log.txt'),
  }),
  settle_ms: milliseconds(200),
  ready: oneOf('settle', 'marker'),
  watch: section({ polling: yesOrNo(false), rescan_ms: milliseconds(30_000, 100) }),
  originals: oneOf('archive', 'delete'),
  archive_days: count(30, 0, 36_500),
  identity: oneOf('name_and_content', 'content'),
  overlapping_datasets: oneOf('first', 'fail_file'),
  workers: count(undefined, 1, 1024),
  shutdown_ms: milliseconds(10_000),
  parquet: section({
    codec: oneOf('snappy', 'gzip', 'zstd', 'none'),
    row_group_rows: count(131_072, 1, 16_777_216),
  }),
  limits: section({
    max_row_bytes: count(16_777_216, 1, 1_073_741_824),
    max_columns: count(16_384, 1, 1_000_000),
    max_decompressed_ratio: count(200, 1, 1_000_000),
  }),
  log: section({ level: oneOf('info', 'warning', 'error'), json: yesOrNo(false) }),
  server: section({
    enabled: yesOrNo(true),
    host: { ...name, default: '127.0.0.1', description: 'an address or host name to listen on' },
    port: count(8420, 0, 65_535),
    max_upload_bytes: count(5_368_709_120, 1, Number.MAX_SAFE_INTEGER),
    auth: authSchema,
    sql: section({
      timeout_ms: milliseconds(60_000, 100),
      max_rows: count(10_000, 1, 1_000_000),
      max_bytes: count(33_554_432, 1000, 1_073_741_824),
      max_statements: count(4, 1, 64),
    }),
  }),
  alerts: alertsSchema,
});

const sqlType: SchemaObject = { type: 'string', sqlType: true };

/** `schema.yaml` in the short form: `column: TYPE`. */
export const columnsSchema: SchemaObject = {
  type: 'object',
  minProperties: 1,
  additionalProperties: sqlType,
  description: 'a mapping of column: TYPE',
};

/** One dataset of `schema.yaml` in the full form. Rules beside a column's type are checked in rules.ts. */
export const datasetSchema: SchemaObject = {
  type: 'object',
  description: 'a dataset',
  required: ['files', 'columns'],
  additionalProperties: false,
  properties: {
    files: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      pattern: '^[^/]+$',
      description: 'a pattern on the name of the file without folders, such as "student*.csv"',
    },
    columns: {
      type: ['object', 'string'],
      minProperties: 1,
      pattern: '^any$',
      description: 'a mapping of column: TYPE, or the word any',
      additionalProperties: {
        type: ['string', 'object'],
        sqlType: true,
        description: 'a SQL type, or a mapping with "type"',
        required: ['type'],
        properties: {
          type: sqlType,
          nullable: { type: 'boolean', default: false },
          case: { type: 'string', enum: CASES },
          private: { type: 'boolean', default: false },
        },
      },
    },
    names: oneOf('lower', 'keep'),
    missing: oneOf('drop_row', 'fail_file', 'keep'),
    case: { type: 'string', enum: CASES, default: 'lower' },
    null_tokens: {
      type: 'array',
      items: { type: 'string', description: 'a text (null needs quotes here)' },
      default: ['', 'na', 'n/a', 'nan', 'null', 'none'],
      description: 'a list of texts',
    },
    duplicates: oneOf('drop', 'keep', 'fail_file'),
    invalid: oneOf('fail_file', 'set_aside'),
    max_set_aside: {
      type: ['integer', 'string'],
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      pattern: '^(100(\\.0*)?|\\d{1,2}(\\.\\d+)?)\\s*%$',
      default: '5%',
      description: 'a number of rows, or a share such as 5%',
    },
    ragged: oneOf('fail_file', 'set_aside', 'rescue'),
    extra_columns: oneOf('fail_file', 'ignore', 'rescue'),
    delimiter: {
      type: 'string',
      // ASCII that is neither a letter, a digit, a double quote nor a line end; separators are among the controls.
      pattern: '^(auto|none|[\\x01\\t\\x1c-\\x1f !#-/:-@\\[-`{-~]{1,2})$',
      default: 'auto',
      description:
        'auto, none, or one or two ASCII characters that are no letters, digits or double quotes (a tab is "\\t")',
    },
    quote: {
      type: 'string',
      pattern: '^(auto|none|[!-/:-@\\[-`{-~]?)$',
      default: 'auto',
      description: 'auto, none, or one ASCII character that is no letter or digit',
    },
    escape: oneOf('auto', 'double', 'backslash', 'none'),
    encoding: {
      type: 'string',
      minLength: 1,
      default: 'auto',
      description: 'auto, or the name of an encoding',
    },
    header: oneOf('auto', 'present', 'absent'),
    expect: expectSchema,
  },
};

/** `schema.yaml` in the full form: `dataset: { files, columns, … }`. */
export const datasetsSchema: SchemaObject = {
  type: 'object',
  minProperties: 1,
  description: 'a mapping of datasets',
  additionalProperties: datasetSchema,
};

const tableColumn: SchemaObject = {
  type: 'object',
  description: 'a mapping with name and type',
  required: ['name', 'type'],
  additionalProperties: false,
  properties: { name, type: sqlType },
};
const columnNames: SchemaObject = {
  type: 'array',
  minItems: 1,
  items: name,
  description: 'a list of column names',
};

/** `schema_sql.yaml`: `table: [{name, type}]` or `table: {columns, key, mode, indexes}`. */
export const tablesSchema: SchemaObject = {
  type: 'object',
  description: 'a mapping of tables',
  additionalProperties: {
    type: ['array', 'object'],
    description: 'a list of columns, or a mapping with "columns"',
    minItems: 1,
    items: tableColumn,
    required: ['columns'],
    additionalProperties: false,
    properties: {
      columns: { type: 'array', minItems: 1, items: tableColumn, description: 'a list of columns' },
      key: { type: 'array', items: name, default: [], description: 'a list of column names' },
      mode: oneOf('append', 'upsert', 'replace'),
      indexes: {
        type: 'array',
        items: columnNames,
        default: [],
        description: 'a list of lists of column names, such as [[school], [sex, age]]',
      },
    },
  },
};

const pemFile: SchemaObject = { type: 'string', minLength: 1, description: 'the path of a PEM file' };

/** `db_creds.yaml`. */
export const credentialsSchema: SchemaObject = mapping({
  database: {
    type: 'object',
    additionalProperties: false,
    properties: {
      engine: {
        type: 'string',
        enum: ['embedded', 'postgres', 'mysql', 'none'],
        description: 'one of embedded, postgres, mysql (also for MariaDB), none',
      },
      host: { type: 'string', minLength: 1, default: 'localhost', description: 'a host name or address' },
      port: {
        type: ['integer', 'string'],
        minimum: 1,
        maximum: 65_535,
        pattern: '^[0-9]{1,5}$',
        description: 'a port from 1 to 65535',
      },
      user: { type: 'string', minLength: 1, description: 'the name of a database user' },
      password: { type: 'string', default: '' },
      database: { type: 'string', minLength: 1, description: 'the name of a database' },
      schema: { type: 'string', minLength: 1, description: 'the name of a Postgres schema' },
      ssl: {
        type: ['boolean', 'object'],
        description: 'true, false, or a mapping of ca, cert, key and reject_unauthorized',
        additionalProperties: false,
        properties: { ca: pemFile, cert: pemFile, key: pemFile, reject_unauthorized: yesOrNo(true) },
      },
    },
  },
});

/** All of them, by names of their own. */
export const SCHEMAS = {
  program: programSchema,
  columns: columnsSchema,
  dataset: datasetSchema,
  datasets: datasetsSchema,
  tables: tablesSchema,
  credentials: credentialsSchema,
  dashboard: dashboardSchema,
};
