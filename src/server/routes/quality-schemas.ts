/* JSON Schemas of the quality routes: they check what is asked, and are its description. */

const TIME = { type: 'string', format: 'date-time' } as const;
const TEXT = { type: 'string' } as const;
const COUNT = { type: 'integer', minimum: 0 } as const;
const TEXT_OR_NULL = { type: ['string', 'null'] } as const;
const NUMBER_OR_NULL = { type: ['number', 'null'] } as const;

type Properties = Record<string, object>;

function object<P extends Properties>(properties: P) {
  return { type: 'object', required: Object.keys(properties), properties };
}

function list<P extends Properties>(properties: P) {
  return { type: 'array', items: object(properties) };
}

const TOTALS = {
  converted: COUNT,
  failed: COUNT,
  load_failed: COUNT,
  duplicates: COUNT,
  rows: COUNT,
  left_out: COUNT,
};
const FINDING = {
  dataset: TEXT,
  file_id: { type: 'integer' },
  file: TEXT,
  found_at: TIME,
  column: TEXT_OR_NULL,
  metric: { type: 'string', enum: ['null_share', 'distinct', 'mean', 'left_out_share'] },
  value: { ...NUMBER_OR_NULL, description: 'Null for columns that are hidden from the user' },
  low: NUMBER_OR_NULL,
  high: NUMBER_OR_NULL,
  median: NUMBER_OR_NULL,
  compared: { ...COUNT, description: 'Files that the range was made of' },
};
const ALERT = {
  id: { type: 'integer' },
  kind: TEXT,
  dataset: TEXT_OR_NULL,
  code: TEXT_OR_NULL,
  count: COUNT,
  message: TEXT,
  files: { type: 'array', items: TEXT },
  first_at: TIME,
  last_at: TIME,
  delivery: { type: 'string', enum: ['none', 'waiting', 'delivered', 'given_up'] },
  delivered_at: { type: ['string', 'null'], format: 'date-time' },
};

export const REPORT = {
  summary: 'How good the files were: counts, unusual values, alerts, and what is expected',
  tags: ['quality'],
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      since: { ...TIME, description: '30 days before until, when it is missing' },
      until: { ...TIME, description: 'Now, when it is missing' },
      dataset: { type: 'string', maxLength: 256 },
    },
  },
  response: {
    200: {
      description: 'The files that were judged in this time, and what is expected now',
      ...object({
        since: TIME,
        until: TIME,
        bucket: { type: 'string', enum: ['hour', 'day'] },
        datasets: { type: 'array', items: TEXT },
        totals: object(TOTALS),
        series: list({ at: TIME, ...TOTALS }),
        reasons: list({
          dataset: TEXT_OR_NULL,
          stage: { type: 'string', enum: ['convert', 'load'] },
          code: TEXT,
          files: COUNT,
        }),
        violations: list({
          dataset: TEXT_OR_NULL,
          code: TEXT,
          column: TEXT_OR_NULL,
          files: COUNT,
          violations: COUNT,
        }),
        findings: list(FINDING),
        alerts: list(ALERT),
        expected: list({ dataset: TEXT, due_at: TIME, overdue_at: TIME, is_late: { type: 'boolean' } }),
      }),
    },
  },
};

export const TREND = {
  summary: 'The statistics of one column in the last files of a dataset',
  tags: ['quality'],
  querystring: {
    type: 'object',
    additionalProperties: false,
    required: ['dataset', 'column'],
    properties: {
      dataset: { type: 'string', maxLength: 256 },
      column: { type: 'string', maxLength: 1024 },
    },
  },
  response: {
    200: {
      description: 'The oldest file first',
      ...object({
        dataset: TEXT,
        column: TEXT,
        points: list({
          file_id: { type: 'integer' },
          file: TEXT,
          judged_at: TIME,
          rows: COUNT,
          nulls: COUNT,
          distinct: { type: ['integer', 'null'] },
          mean: NUMBER_OR_NULL,
          min: NUMBER_OR_NULL,
          max: NUMBER_OR_NULL,
        }),
      }),
    },
  },
};
