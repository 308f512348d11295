import type { FastifyInstance } from 'fastify';
import { pathFrom } from '../../base/files.js';
import type { SortColumn } from '../../ledger/file-search.js';
import type {
  Download,
  FileFilters,
  FileList,
  FileState,
  FileStory,
  Overview,
  RetryAnswer,
  Throughput,
  ThroughputRange,
} from '../api/files.js';
import { attachment } from '../attachment.js';
import { audit } from '../auth/audit.js';
import type { ServerContext } from '../context.js';
import { EventHub } from '../event-hub.js';
import { refuseHiddenLines } from '../privacy.js';
import { RequestProblem } from '../problem.js';
import { hideInStory, hideInSummary } from './files-privacy.js';
import * as schemas from './files-schemas.js';
import { liveOf, pendingOf, storyOf, summaryOf } from './files-wire.js';

/** Files on their way that the overview names. */
const MAX_PENDING = 50;
const DAY_MS = 86_400_000;
const EVENTS = { everyMs: 250, heartbeatMs: 15_000, maxListeners: 200 };

/** Length and number of the stretches of time of a range. */
const BUCKETS: Record<ThroughputRange, { bucketMs: number; count: number }> = {
  hour: { bucketMs: 60_000, count: 60 },
  day: { bucketMs: 1_800_000, count: 48 },
  week: { bucketMs: 2 * 3_600_000, count: 84 },
  month: { bucketMs: 12 * 3_600_000, count: 60 },
};

const TYPES: Record<Download, string> = {
  original: 'application/octet-stream',
  rejected: 'text/csv',
  report: 'application/json; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

/** What became of every file: the overview and its events, the list, the stories, downloads, retry. */
export function fileRoutes(app: FastifyInstance, context: ServerContext): void {
  overviewRoutes(app, context);
  eventRoutes(app, context);
  listRoutes(app, context);
  storyRoutes(app, context);
  downloadRoutes(app, context);
  retryRoutes(app, context);
}

function overviewRoutes(app: FastifyInstance, { view }: ServerContext): void {
  const { files, settings } = view;
  const { root, folders } = settings;
  app.get<{ Querystring: { day_start?: string } }>(
    '/api/overview',
    { schema: schemas.overviewSchema },
    async ({ query }): Promise<Overview> => {
      const since = query.day_start ?? new Date(Date.now() - DAY_MS).toISOString();
      const { failed, loaded } = await files.totals(ledgerTime(since));
      return {
        live: liveOf(files.live()),
        pending: files.pending(MAX_PENDING).map(pendingOf),
        failed: {
          files: failed.files,
          parquet_files: failed.parquetFiles,
          rejected_files: failed.rejectedFiles,
        },
        loaded,
        input_folder: pathFrom(root, folders.input),
      };
    },
  );
  app.get<{ Querystring: { range: ThroughputRange } }>(
    '/api/throughput',
    { schema: schemas.throughputSchema },
    async ({ query: { range } }): Promise<Throughput> => {
      const { bucketMs, count } = BUCKETS[range];
      // Stretches begin at the same times whenever somebody asks, and the last one is under way.
      const fromMs = (Math.floor(Date.now() / bucketMs) + 1 - count) * bucketMs;
      const series = await files.throughput({ fromMs, bucketMs, count });
      return { range, from: new Date(fromMs).toISOString(), bucket_ms: bucketMs, ...series };
    },
  );
}

function eventRoutes(app: FastifyInstance, { view }: ServerContext): void {
  const hub = new EventHub({ ...EVENTS, read: () => liveOf(view.files.live()) });
  app.addHook('preClose', async () => hub.close());
  app.get('/api/events', { schema: schemas.eventsSchema, exposeHeadRoute: false }, (_request, reply) => {
    const stream = hub.listen();
    if (!stream) throw new RequestProblem(503, 'Too many pages listen already', 'Close some of them.');
    return reply.header('Content-Type', 'text/event-stream; charset=utf-8').send(stream);
  });
}

interface ListQuery {
  name?: string;
  state?: FileState[];
  dataset?: string;
  code?: string;
  from?: string;
  before?: string;
  sort: SortColumn;
  order: 'asc' | 'desc';
  limit: number;
  offset: number;
}

function listRoutes(app: FastifyInstance, { view }: ServerContext): void {
  const { files, settings } = view;
  app.get<{ Querystring: ListQuery }>(
    '/api/files',
    { schema: schemas.listSchema },
    async ({ query, user }): Promise<FileList> => {
      const { state, from, before, order, limit, offset, ...rest } = query;
      const found = await files.search({
        ...rest,
        states: state,
        from: from && ledgerTime(from),
        before: before && ledgerTime(before),
        descending: order === 'desc',
        limit,
        offset,
      });
      const shown = found.files.map((record) => hideInSummary(summaryOf(record), { settings, user }));
      return { files: shown, total: found.total, limit, offset };
    },
  );
  app.get('/api/files/filters', { schema: schemas.filtersSchema }, async (): Promise<FileFilters> => {
    const datasets = settings.datasets.map(({ name }) => name);
    return { datasets, codes: await files.codes() };
  });
}

interface ById {
  Params: { id: number };
}

function storyRoutes(app: FastifyInstance, { view }: ServerContext): void {
  app.get<ById>(
    '/api/files/:id',
    { schema: schemas.storySchema },
    async ({ params: { id }, user }): Promise<FileStory> => {
      const story = await view.files.story(id);
      if (!story) throw unknownFile(id);
      return hideInStory(storyOf(story), { settings: view.settings, user });
    },
  );
}

function downloadRoutes(app: FastifyInstance, { view }: ServerContext): void {
  app.get<{ Params: { id: number; what: Download } }>(
    '/api/files/:id/:what',
    { schema: schemas.downloadSchema },
    async ({ params: { id, what }, user }, reply) => {
      const opened = await view.files.open(id, what, ({ dataset }) =>
        refuseHiddenLines(view.settings, { dataset: dataset ?? undefined, user }),
      );
      if (!opened)
        throw new RequestProblem(
          404,
          `The file ${id} has no ${what} (any more)`,
          `Its story is at /files/${id}.`,
        );
      const { handle, size, name } = opened;
      reply.headers({
        'Content-Type': TYPES[what],
        'Content-Length': size,
        'Content-Disposition': attachment(name),
      });
      // Exactly what was there when it was opened: it may still grow.
      if (size > 0) return reply.send(handle.createReadStream({ start: 0, end: size - 1 }));
      await handle.close();
      return reply.send('');
    },
  );
}

function retryRoutes(app: FastifyInstance, { view, log }: ServerContext): void {
  app.post<ById>(
    '/api/files/:id/retry',
    { schema: schemas.retrySchema, config: { role: 'analyst' } },
    async (request): Promise<RetryAnswer> => {
      const { id } = request.params;
      const outcome = await view.files.retry(id, log);
      if (!outcome) throw unknownFile(id);
      if ('refused' in outcome) throw new RequestProblem(409, outcome.refused, outcome.hint);
      audit(request, `sent ${outcome.name} back to be tried again`);
      return { name: outcome.name };
    },
  );
}

function unknownFile(id: number): RequestProblem {
  return new RequestProblem(404, `There is no file ${id}`, 'The list of files has those that there are.');
}

/** The ledger compares times as texts. */
function ledgerTime(iso: string): string {
  return new Date(iso).toISOString();
}
