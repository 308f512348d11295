import { SORT_COLUMNS } from '../../ledger/file-search.js';

/* JSON schemas of the routes of files: they check requests, shape answers, and describe the API. */

const text = { type: 'string' };
const count = { type: 'integer' };
const number = { type: 'number' };
const flag = { type: 'boolean' };
const textOrNull = { type: ['string', 'null'] };
const numberOrNull = { type: ['number', 'null'] };
const countOrNull = { type: ['integer', 'null'] };
const counts = { type: 'array', items: count };
const countsByName = { type: 'object', additionalProperties: count };

function object(properties: Record<string, object>, required = Object.keys(properties)) {
  return { type: 'object', properties, required };
}

function list(items: object) {
  return { type: 'array', items };
}

function orNull(schema: object) {
  return { anyOf: [schema, { type: 'null' }] };
}

const STATES = ['converted', 'loaded', 'failed', 'load_failed', 'duplicate'];

const summary = {
  id: count,
  name: text,
  dataset: textOrNull,
  state: { type: 'string', enum: STATES },
  code: textOrNull,
  message: textOrNull,
  bytes_in: count,
  bytes_out: count,
  rows_in: count,
  rows_out: count,
  dropped_missing: count,
  dropped_duplicate: count,
  set_aside: count,
  convert_ms: numberOrNull,
  arrived_at: text,
  judged_at: text,
  loaded_at: textOrNull,
};

const database = object({
  engine: text,
  address: textOrNull,
  state: text,
  message: textOrNull,
  since: textOrNull,
});
const task = object({
  name: text,
  files: count,
  bytes: count,
  bytes_read: count,
  rows_read: count,
  share: numberOrNull,
  for_ms: number,
});
const live = object({
  revision: count,
  waiting: count,
  being_written: count,
  without_marker: count,
  postponed: count,
  converting: list(task),
  waiting_to_load: count,
  database,
});
const pending = object({
  name: text,
  state: text,
  bytes: countOrNull,
  rows: countOrNull,
  arrived_at: textOrNull,
  pid: countOrNull,
});

const setting = object({ value: text, origin: text });
const dialect = object(
  { encoding: setting, delimiter: setting, quote: setting, header: setting, escape: text },
  ['encoding', 'delimiter', 'quote', 'header'],
);
const source = object({ before: text, cell: text, after: text, is_cut_left: flag, is_cut_right: flag });
const violation = object({
  line: count,
  byte_offset: count,
  column: text,
  code: text,
  rule: text,
  value: text,
  message: text,
  source: orNull(source),
});
const story = object({
  ...summary,
  sha256: text,
  parquet: textOrNull,
  original: textOrNull,
  hint: textOrNull,
  load_failed_at: textOrNull,
  dialect: orNull(dialect),
  violations_by_code: countsByName,
  violations: list(violation),
  violations_not_listed: count,
  notes: list(object({ line: count, kind: text, text })),
  notes_total: count,
  downloads: list(text),
  can_retry: flag,
  same_name: list(object(summary)),
  repeats: orNull(object(summary)),
  is_hidden: flag,
});

const tags = ['files'];
const time = { type: 'string', format: 'date-time' };
const id = object({ id: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } });

export const RANGES = ['hour', 'day', 'week', 'month'] as const;
export const MAX_PAGE = 500;

export const overviewSchema = {
  tags,
  summary: 'How the pipeline stands, and what is under way',
  querystring: object(
    { day_start: { ...time, description: 'Since when loads count; default: the last 24 hours' } },
    [],
  ),
  response: {
    200: object({
      live,
      pending: list(pending),
      failed: object({ files: count, parquet_files: count, rejected_files: count }),
      loaded: object({ files: count, rows: count }),
      input_folder: text,
    }),
  },
};

export const eventsSchema = {
  tags,
  summary: 'How the pipeline stands, whenever that changes (server-sent events)',
  description: 'Each event is the object `live` of the overview.',
  querystring: object({}),
};

export const throughputSchema = {
  tags,
  summary: 'Files, failures, rows and bytes over time',
  querystring: object({ range: { type: 'string', enum: RANGES, default: 'day' } }, []),
  response: {
    200: object({
      range: text,
      from: text,
      bucket_ms: count,
      files: counts,
      failed: counts,
      rows: counts,
      bytes: counts,
    }),
  },
};

export const listSchema = {
  tags,
  summary: 'The deliveries, searched, sorted and by pages',
  querystring: object(
    {
      name: {
        type: 'string',
        maxLength: 255,
        description: 'Part of the name; the case of A to Z does not count',
      },
      state: { type: 'array', items: { type: 'string', enum: STATES }, maxItems: STATES.length },
      dataset: { type: 'string', maxLength: 255 },
      code: { type: 'string', maxLength: 64, description: 'Reason code' },
      from: { ...time, description: 'Judged at this time or later' },
      before: { ...time, description: 'Judged before this time' },
      sort: { type: 'string', enum: SORT_COLUMNS, default: 'id' },
      order: { type: 'string', enum: ['asc', 'desc'], default: 'desc' },
      limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 50 },
      offset: { type: 'integer', minimum: 0, maximum: 1e9, default: 0 },
    },
    [],
  ),
  response: { 200: object({ files: list(object(summary)), total: count, limit: count, offset: count }) },
};

export const filtersSchema = {
  tags,
  summary: 'What the list can be narrowed to',
  response: { 200: object({ datasets: list(text), codes: list(text) }) },
};

export const storySchema = {
  tags,
  summary: 'Everything that is known of a delivery',
  params: id,
  response: { 200: story },
};

export const downloadSchema = {
  tags,
  summary: 'The original, the rows that were left out, the report, or the Parquet file',
  params: object({
    ...id.properties,
    what: { type: 'string', enum: ['original', 'rejected', 'report', 'parquet'] },
  }),
};

export const retrySchema = {
  tags,
  summary: 'Sends a failed file back to be tried again',
  params: id,
  response: { 200: object({ name: text }) },
};
