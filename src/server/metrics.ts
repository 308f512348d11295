import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { VERSION } from '../base/version.js';
import { DURATION_BOUNDS_S, type Durations, type LabelledCounts } from '../pipeline/tally.js';
import type { OperationsView } from '../pipeline/view/operations-view.js';
import type { PipelineView } from '../pipeline/view/pipeline-view.js';

/**
 * What `/metrics` answers: a registry of its own. Counts come from the tally that the pipeline keeps since its start, and
 * the rest is looked at when somebody asks, so that being measured costs nothing meanwhile. Names and units follow
 * https://prometheus.io/docs/practices/naming/
 */
export function openRegistry({
  operations,
  quality,
}: Pick<PipelineView, 'operations' | 'quality'>): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'dropgate_build_info',
    help: 'Always 1; the labels tell the versions.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: VERSION, node: process.version }, 1);
  registerCounts(registers, operations);
  tallied(quality.alertCounts, {
    name: 'dropgate_alerts_total',
    help: 'Alerts since the start, by what they are about; docs/quality.md tells the kinds.',
    labelNames: ['kind', 'dataset'],
    registers,
  });
  registerDurations(registers, operations);
  registerCondition(registers, operations);
  return registry;
}

/** Measures every answer. Streams of events last until their reader leaves, and are not measured. */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const durations = new Histogram({
    name: 'dropgate_http_request_duration_seconds',
    help: 'How long answers took, by the pattern of their address.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    if (String(reply.getHeader('Content-Type')).startsWith('text/event-stream')) return;
    const route = routeOptions.url ?? 'none';
    durations.observe({ method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
  });
}

function registerCounts(registers: Registry[], { tally }: OperationsView): void {
  tallied(tally.files, {
    name: 'dropgate_files_total',
    help: 'Files since the start: judged as converted, failed or duplicate, then perhaps loaded, already_loaded or load_failed.',
    labelNames: ['state', 'dataset'],
    registers,
  });
  tallied(tally.failures, {
    name: 'dropgate_failures_total',
    help: 'Files that failed, or that could not be loaded for good, by reason code.',
    labelNames: ['reason'],
    registers,
  });
  tallied(tally.rows, {
    name: 'dropgate_rows_total',
    help: 'Rows since the start: in = out + dropped_missing + dropped_duplicate + set_aside, and rows loaded into tables.',
    labelNames: ['kind', 'dataset'],
    registers,
  });
  tallied(tally.bytes, {
    name: 'dropgate_bytes_total',
    help: 'Bytes of converted files since the start: in as they came, out as Parquet.',
    labelNames: ['kind'],
    registers,
  });
}

function tallied<L extends Record<string, string>>(
  counts: LabelledCounts<L>,
  options: { name: string; help: string; labelNames: (keyof L & string)[]; registers: Registry[] },
): void {
  new Counter({
    ...options,
    collect() {
      this.reset();
      for (const { labels, value } of counts.all()) this.inc(labels, value);
    },
  });
}

function registerDurations(registers: Registry[], { tally }: OperationsView): void {
  new TalliedHistogram(tally.durations, {
    name: 'dropgate_stage_duration_seconds',
    help: 'How long the stages took: convert a file, publish the files of a task, load a transaction of files.',
    registers,
  });
}

/** A histogram whose classes were counted elsewhere. */
class TalliedHistogram extends Histogram<'stage'> {
  readonly #stages: Readonly<Record<string, Durations>>;
  readonly #name: string;
  readonly #help: string;

  constructor(
    stages: Readonly<Record<string, Durations>>,
    { name, help, registers }: { name: string; help: string; registers: Registry[] },
  ) {
    super({ name, help, registers, labelNames: ['stage'], buckets: DURATION_BOUNDS_S });
    this.#stages = stages;
    this.#name = name;
    this.#help = help;
  }

  /** What `get` and the registry's text are made of. */
  async getForPromString() {
    const values = Object.entries(this.#stages).flatMap(([stage, durations]) =>
      this.#series({ stage }, durations),
    );
    return { name: this.#name, help: this.#help, type: 'histogram', values, aggregator: 'sum' };
  }

  #series(sharedLabels: { stage: string }, { counts, sumS }: Durations) {
    const bounds = [...DURATION_BOUNDS_S, '+Inf'];
    let upTo = 0;
    const buckets = counts.map((count, i) => {
      upTo += count;
      return { metricName: `${this.#name}_bucket`, sharedLabels, labels: { le: bounds[i] }, value: upTo };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, sharedLabels, labels: {}, value: sumS },
      { metricName: `${this.#name}_count`, sharedLabels, labels: {}, value: upTo },
    ];
  }
}

function registerCondition(registers: Registry[], operations: OperationsView): void {
  new Gauge({
    name: 'dropgate_oldest_waiting_seconds',
    help: 'How long the oldest file waits in the input folder, 0 when none does. Files without their marker do not count.',
    registers,
    // The first of these gauges looks once, for all of them.
    collect() {
      const { queues: lengths, oldestArrivalMs, database: engine, folders: watched } = operations.condition();
      this.set(oldestArrivalMs === undefined ? 0 : Math.max(0, Date.now() - oldestArrivalMs) / 1000);
      for (const [queue, files] of Object.entries(lengths)) queues.set({ queue }, files);
      if (engine) database.set({ engine: engine.engine }, engine.isAway ? 0 : 1);
      for (const { folder, trouble } of watched) {
        folders.set({ folder }, trouble.some(({ isBlocking }) => isBlocking) ? 0 : 1);
      }
    },
  });
  const queues = new Gauge({
    name: 'dropgate_queue_files',
    help: 'Files on their way, by what they wait for.',
    labelNames: ['queue'],
    registers,
  });
  const database = new Gauge({
    name: 'dropgate_database_up',
    help: '0 while the database is away; absent when nothing is loaded.',
    labelNames: ['engine'],
    registers,
  });
  const folders = new Gauge({
    name: 'dropgate_folder_up',
    help: '0 while a watched folder cannot be listed.',
    labelNames: ['folder'],
    registers,
  });
}
