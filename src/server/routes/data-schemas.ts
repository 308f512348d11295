import { AGGREGATES, CHART_KINDS, FILTER_OPERATORS, TIME_UNITS } from '../../pipeline/view/tables-view.js';

/* The JSON Schemas of the data routes. */

const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const cell = { type: ['string', 'number', 'boolean', 'null'] } as const;
const rows = { type: 'array', items: { type: 'array', items: cell } } as const;
const name = { type: 'string', minLength: 1, maxLength: 256 } as const;

const object = <P extends Record<string, unknown>>(properties: P, optional: string[] = []) =>
  ({
    type: 'object',
    required: Object.keys(properties).filter((key) => !optional.includes(key)),
    properties,
  }) as const;

const list = <I>(items: I) => ({ type: 'array', items }) as const;

const tableColumn = {
  name: text,
  type: text,
  class: { type: 'string', enum: ['number', 'time', 'boolean', 'text'] },
  is_hidden: { type: 'boolean' },
} as const;

const table = object({
  name: text,
  columns: list(object(tableColumn)),
  rows: { type: ['integer', 'null'] },
  is_estimate: { type: 'boolean' },
  loads: count,
  last_loaded_at: { type: ['string', 'null'] },
});

const chartColumn = object({
  name: text,
  title: text,
  type: { type: 'string', enum: ['category', 'number', 'time'] },
});

const tableParams = object({ table: name });

const tags = ['data'];

export const TABLES_SCHEMA = {
  summary: 'The tables with their row counts',
  tags,
  response: { 200: { description: 'All tables of schema_sql.yaml', ...object({ tables: list(table) }) } },
} as const;

export const PROFILE_SCHEMA = {
  summary: 'What each column of a table holds',
  tags,
  params: tableParams,
  response: {
    200: {
      description: 'A profile of each column',
      ...object({
        table,
        profiled_rows: count,
        columns: list(
          object({
            ...tableColumn,
            nulls: count,
            distinct: { type: ['integer', 'null'] },
            min: cell,
            max: cell,
            mean: { type: ['number', 'null'] },
            median: { type: ['number', 'null'] },
            histogram: list(object({ from: cell, to: cell, rows: count })),
            top: list(object({ value: cell, rows: count })),
          }),
        ),
      }),
    },
  },
} as const;

export const ROWS_SCHEMA = {
  summary: 'Some rows of a table',
  tags,
  params: tableParams,
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      offset: { type: 'integer', minimum: 0, maximum: 100_000, default: 0 },
      limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    },
  },
  response: {
    200: { description: 'The rows', ...object({ columns: list(text), rows, offset: count }) },
  },
} as const;

export const CHART_SCHEMA = {
  summary: 'The figures of a chart, computed by the database',
  tags,
  querystring: {
    type: 'object',
    additionalProperties: false,
    required: ['table', 'kind'],
    properties: {
      table: name,
      kind: { type: 'string', enum: CHART_KINDS },
      x: name,
      y: name,
      aggregate: { type: 'string', enum: AGGREGATES },
      colour: name,
      filters: { type: 'string', maxLength: 8000, description: 'A list of {column, op, value} as JSON text' },
      bins: { type: 'integer', minimum: 2, maximum: 200 },
      unit: { type: 'string', enum: TIME_UNITS },
      limit: { type: 'integer', minimum: 1, maximum: 10_000 },
    },
  },
  response: {
    200: {
      description: 'The figures',
      ...object(
        {
          kind: { type: 'string', enum: CHART_KINDS },
          columns: list(chartColumn),
          rows,
          x: text,
          y: text,
          series: text,
          value: text,
          rows_read: count,
          rows_left_out: count,
          categories_left_out: count,
          first_rows: count,
        },
        ['series', 'value', 'first_rows'],
      ),
    },
  },
} as const;

/** The parameter `filters` once it is parsed. */
export const FILTERS_SCHEMA = {
  type: 'array',
  maxItems: 20,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['column', 'op'],
    properties: {
      column: name,
      op: { type: 'string', enum: FILTER_OPERATORS },
      value: {
        anyOf: [
          { type: 'string', maxLength: 1000 },
          { type: 'array', maxItems: 100, items: { type: 'string', maxLength: 1000 } },
        ],
      },
    },
  },
} as const;

const query = object({ name: text, title: text, question: text });

export const QUERIES_SCHEMA = {
  summary: 'The named queries',
  tags,
  response: { 200: { description: 'In the order of the manifest', ...object({ queries: list(query) }) } },
} as const;

export const QUERY_SCHEMA = {
  summary: 'The result of a named query',
  tags,
  params: object({ name }),
  response: {
    200: {
      description: 'Rows, and how to draw them',
      ...object({
        query,
        columns: list(chartColumn),
        rows,
        is_cut: { type: 'boolean' },
        plot: {
          type: ['object', 'null'],
          properties: {
            kind: { type: 'string', enum: ['bar', 'line'] },
            x: text,
            y: text,
            series: text,
            rows,
          },
        },
      }),
    },
  },
} as const;
