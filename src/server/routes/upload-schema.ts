const count = { type: 'integer', minimum: 0 } as const;
const text = { type: 'string' } as const;

const ROWS = {
  type: 'object',
  description: 'in = out + dropped_missing + dropped_duplicate + set_aside',
  required: ['in', 'out', 'dropped_missing', 'dropped_duplicate', 'set_aside'],
  properties: { in: count, out: count, dropped_missing: count, dropped_duplicate: count, set_aside: count },
} as const;

const ANSWER = {
  type: 'object',
  required: ['name', 'bytes', 'state', 'message', 'link'],
  properties: {
    name: text,
    bytes: count,
    state: { type: 'string', enum: ['waiting', 'converted', 'loaded', 'duplicate'] },
    message: { type: 'string', description: 'One sentence' },
    link: { type: 'string', description: 'Where to see what becomes of the file' },
    dataset: text,
    rows: ROWS,
    rows_loaded: count,
    earlier: {
      type: 'object',
      description: 'The delivery that a duplicate repeats',
      required: ['name', 'judged_at'],
      properties: { name: text, judged_at: { type: 'string', format: 'date-time' } },
    },
  },
} as const;

const VIOLATION = {
  type: 'object',
  required: ['line', 'column', 'code', 'value', 'message'],
  properties: { line: { type: 'integer' }, column: text, code: text, value: text, message: text },
} as const;

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: { type: text, title: text, status: { type: 'integer' }, detail: text, hint: text, code: text },
} as const;

/** A problem under its media type. */
function problem(description: string, schema: object = PROBLEM) {
  return { description, content: { 'application/problem+json': { schema } } };
}

/** `PUT /input/NAME`. */
export const UPLOAD_SCHEMA = {
  summary: 'Deliver a file',
  description:
    'The body is the content of the file, such as curl -T sends it: curl -T scores.csv http://HOST/input/scores.csv?wait=1',
  tags: ['upload'],
  params: {
    type: 'object',
    properties: {
      '*': {
        type: 'string',
        description: 'Name of the file: no folders, .csv, .tsv or .txt, each also with .gz',
      },
    },
  },
  querystring: {
    type: 'object',
    properties: {
      wait: { type: 'integer', enum: [0, 1], default: 0, description: '1: the answer is the verdict' },
      timeout_s: {
        type: 'integer',
        minimum: 1,
        maximum: 3600,
        default: 60,
        description: 'Longest wait in seconds; then 202 is answered',
      },
    },
  },
  response: {
    200: { ...ANSWER, description: 'The file passed' },
    202: { ...ANSWER, description: 'The file is there; its verdict, or its load, is still to come' },
    400: problem('The name cannot be taken, or the content ended too early'),
    409: problem('A file of this name waits in the input folder'),
    413: problem('The file is too large'),
    415: problem('The content is encoded for the way'),
    422: problem('The file failed; only with wait=1', {
      ...PROBLEM,
      required: [
        ...PROBLEM.required,
        'name',
        'state',
        'link',
        'dataset',
        'rows',
        'violations',
        'violations_total',
      ],
      properties: {
        ...PROBLEM.properties,
        name: text,
        state: { type: 'string', enum: ['failed', 'load_failed'] },
        link: text,
        dataset: { type: ['string', 'null'] },
        rows: ROWS,
        violations: { type: 'array', items: VIOLATION, description: 'The first 20' },
        violations_total: count,
      },
    }),
    503: problem('The input folder cannot be written'),
    507: problem('The disk is full'),
  },
} as const;

/** `GET /api/upload`. */
export const LIMITS_SCHEMA = {
  summary: 'What can be delivered',
  tags: ['upload'],
  response: {
    200: {
      description: 'The limits',
      type: 'object',
      required: ['max_bytes'],
      properties: { max_bytes: count },
    },
  },
} as const;
