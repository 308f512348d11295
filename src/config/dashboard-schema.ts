import type { SchemaObject } from 'ajv';

/* The JSON Schema of a dashboard file; the words beside the types complete "expected …" in messages. */

const text: SchemaObject = { type: 'string', minLength: 1, maxLength: 2000, description: 'a text' };
const column: SchemaObject = { type: 'string', minLength: 1, description: 'the name of a column' };
const oneOf = (...words: string[]): SchemaObject => ({ type: 'string', enum: words });

const filters: SchemaObject = {
  type: 'array',
  maxItems: 20,
  description: 'a list of filters, such as [{ column: sex, op: eq, value: f }]',
  items: {
    type: 'object',
    description: 'a mapping of column, op and value',
    additionalProperties: false,
    required: ['column', 'op'],
    properties: {
      column,
      op: oneOf('eq', 'ne', 'lt', 'le', 'gt', 'ge', 'in', 'contains', 'is_null', 'not_null'),
      value: {
        type: ['string', 'number', 'boolean', 'array'],
        items: { type: ['string', 'number', 'boolean'], description: 'a value' },
        description: 'a value, or a list of values for "in"',
      },
    },
  },
};

const aggregate = oneOf('count', 'sum', 'avg', 'min', 'max', 'median', 'distinct');
const table: SchemaObject = { type: 'string', minLength: 1, description: 'the name of a table' };

const chart: SchemaObject = {
  type: 'object',
  description: 'a mapping with table and kind',
  additionalProperties: false,
  required: ['table', 'kind'],
  properties: {
    table,
    kind: oneOf('bar', 'line', 'histogram', 'box', 'scatter', 'heat'),
    x: column,
    y: column,
    aggregate,
    colour: column,
    filters,
    bins: { type: 'integer', minimum: 2, maximum: 200, description: 'a whole number from 2 to 200' },
    unit: oneOf('year', 'quarter', 'month', 'week', 'day', 'hour', 'minute'),
    limit: { type: 'integer', minimum: 1, maximum: 10_000, description: 'a whole number from 1 to 10000' },
    stacked: { type: 'boolean' },
    x_title: text,
    y_title: text,
    colour_title: text,
  },
};

const number: SchemaObject = {
  type: 'object',
  description: 'a mapping with table, and y with aggregate',
  additionalProperties: false,
  required: ['table'],
  properties: {
    table,
    y: column,
    aggregate,
    filters,
    unit: text,
    decimals: { type: 'integer', minimum: 0, maximum: 6, description: 'a whole number from 0 to 6' },
  },
};

/** One file of `config/dashboards/`. */
export const dashboardSchema: SchemaObject = {
  type: 'object',
  description: 'a mapping with title and panels',
  additionalProperties: false,
  required: ['title', 'panels'],
  properties: {
    title: text,
    text,
    panels: {
      type: 'array',
      minItems: 1,
      maxItems: 60,
      description: 'a list of panels',
      items: {
        type: 'object',
        description: 'a mapping with one of chart, query, number, heading',
        additionalProperties: false,
        properties: {
          title: text,
          text,
          width: { ...oneOf('quarter', 'third', 'half', 'full') },
          chart,
          query: { type: 'string', minLength: 1, description: 'the name of a query' },
          number,
          heading: text,
        },
      },
    },
  },
};
