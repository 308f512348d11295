import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { quoteValue } from '../../base/text.js';
import {
  csvLines,
  jsonLines,
  jsonValue,
  parquetPieces,
  type QueryResult,
} from '../../pipeline/view/sql-view.js';
import type { SqlFormat, SqlOverview, SqlRequest, SqlSave, SqlText } from '../api/sql.js';
import { audit } from '../auth/audit.js';
import type { ServerContext } from '../context.js';
import { maySeeSql, refuseHiddenSql } from '../privacy.js';
import { RequestProblem } from '../problem.js';
import { SqlSlots } from '../sql-slots.js';

const MAX_SQL_LENGTH = 200_000;
const MAX_AUDIT_LENGTH = 500;
/** Lines that are sent before others have their turn. */
const CHUNK_LINES = 500;
const MEDIA_TYPES: Record<SqlFormat, string> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

const sql = { type: 'string', minLength: 1, maxLength: MAX_SQL_LENGTH, description: 'One statement' };
const SCHEMAS = {
  overview: { summary: 'Tables, queries and limits of the SQL page', tags: ['sql'] },
  run: {
    summary: 'Runs one statement that only reads',
    description: 'It is cancelled when the client goes away.',
    tags: ['sql'],
    body: { type: 'object', required: ['sql'], additionalProperties: false, properties: { sql } },
  },
  download: {
    summary: 'The result of a statement as a file',
    tags: ['sql'],
    body: {
      ...{ type: 'object', required: ['sql', 'format'], additionalProperties: false },
      properties: { sql, format: { type: 'string', enum: Object.keys(MEDIA_TYPES) } },
    },
  },
  query: { summary: 'The text of a saved query', tags: ['sql'] },
  save: {
    summary: 'Saves a query as sql/<dialect>/<name>.sql',
    tags: ['sql'],
    body: {
      ...{ type: 'object', required: ['sql'], additionalProperties: false },
      properties: { sql, replace: { type: 'boolean', default: false } },
    },
  },
};
const config = { role: 'analyst' } as const;

/** `/api/sql`: statements that only read, and the queries of the folder `sql`. */
export function sqlRoutes(app: FastifyInstance, { view, settings }: ServerContext): void {
  const { sql: limits } = settings;
  const { datasets } = view.settings;
  const slots = new SqlSlots(limits.maxStatements);

  app.get('/api/sql', { config, schema: SCHEMAS.overview }, async ({ user }): Promise<SqlOverview> => {
    const isAllowed = maySeeSql({ datasets }, user);
    return {
      dialect: view.sql.dialect ?? null,
      objection: isAllowed ? null : objectionFor({ datasets }, user),
      tables: isAllowed ? await view.sql.tables() : [],
      queries: view.sql.queries().map(({ name, title, question, isShipped }) => ({
        ...{ name, title, question, is_shipped: isShipped === true },
      })),
      max_rows: limits.maxRows,
      timeout_ms: limits.timeoutMs,
    };
  });

  /** Runs the statement of a request, for at most so many rows. */
  async function run(
    request: FastifyRequest<{ Body: SqlRequest }>,
    reply: FastifyReply,
  ): Promise<QueryResult> {
    refuseHiddenSql({ datasets }, request.user);
    const { sql } = request.body;
    return slots.use(reply, async (signal) => {
      audit(request, `ran ${quoteValue(sql, MAX_AUDIT_LENGTH)}`);
      const bounds = { maxRows: limits.maxRows, maxBytes: limits.maxBytes };
      return view.sql.run({ sql, timeoutMs: limits.timeoutMs, bounds, signal });
    });
  }

  app.post<{ Body: SqlRequest }>('/api/sql/run', { config, schema: SCHEMAS.run }, async (request, reply) => {
    const startedAt = performance.now();
    const result = await run(request, reply);
    const lines = answerLines(result, performance.now() - startedAt);
    return reply.type(MEDIA_TYPES.json).send(streamOf(lines));
  });

  app.post<{ Body: SqlRequest & { format: SqlFormat } }>(
    '/api/sql/download',
    { config, schema: SCHEMAS.download },
    async (request, reply) => {
      const { format } = request.body;
      const result = await run(request, reply);
      if (result.isTruncated) throw tooMuch(result);
      return reply
        .type(MEDIA_TYPES[format])
        .header('Content-Disposition', `attachment; filename="result.${format}"`)
        .send(fileOf(result, format));
    },
  );

  app.get<{ Params: { name: string } }>(
    '/api/sql/queries/:name',
    { config, schema: SCHEMAS.query },
    async ({ params: { name } }): Promise<SqlText> => ({ name, sql: view.sql.query(name) }),
  );

  app.put<{ Params: { name: string }; Body: SqlSave }>(
    '/api/sql/queries/:name',
    { config, schema: SCHEMAS.save },
    async (request, reply) => {
      const { sql, replace = false } = request.body;
      const { name } = request.params;
      await view.sql.save({ name, sql, replace });
      audit(request, `saved the query ${quoteValue(name)}`);
      return reply.code(204).send();
    },
  );
}

function objectionFor(...asked: Parameters<typeof refuseHiddenSql>): string {
  try {
    refuseHiddenSql(...asked);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

function tooMuch({ rows }: QueryResult): RequestProblem {
  return new RequestProblem(
    413,
    `The result has more than the ${rows.length} rows that are given at once; a file with some of them would mislead`,
    'Narrow the statement, or raise server.sql.max_rows and max_bytes in dropgate.yaml.',
  );
}

/** One JSON document, row by row. */
function* answerLines({ columns, rows, isTruncated }: QueryResult, durationMs: number): Generator<string> {
  const head = { columns, duration_ms: Math.round(durationMs), is_truncated: isTruncated === true };
  yield `${JSON.stringify(head).slice(0, -1)},"rows":[`;
  for (const [index, row] of rows.entries())
    yield `${JSON.stringify(row.map(jsonValue))}${index < rows.length - 1 ? ',' : ''}`;
  yield ']}';
}

function fileOf(result: QueryResult, format: SqlFormat): Readable {
  if (format === 'parquet') return Readable.from(parquetPieces(result), { objectMode: false });
  return streamOf(format === 'csv' ? csvLines(result) : jsonLines(result));
}

function streamOf(lines: Iterable<string>): Readable {
  return Readable.from(chunksOf(lines), { objectMode: false });
}

async function* chunksOf(lines: Iterable<string>): AsyncGenerator<string> {
  let chunk: string[] = [];
  for (const line of lines) {
    chunk.push(line);
    if (chunk.length < CHUNK_LINES) continue;
    yield `${chunk.join('\n')}\n`;
    chunk = [];
    await setImmediate();
  }
  yield `${chunk.join('\n')}\n`;
}
