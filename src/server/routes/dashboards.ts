import type { FastifyInstance } from 'fastify';
import type { DashboardFile, DashboardPanel } from '../../pipeline/view/dashboards-view.js';
import type { PipelineView } from '../../pipeline/view/pipeline-view.js';
import type {
  ChartPanel,
  Dashboard,
  DashboardSummary,
  Dashboards,
  Panel,
  PanelWidth,
} from '../api/dashboards.js';
import type { ChartFilter } from '../api/data.js';
import { RequestProblem } from '../problem.js';

const SUMMARY = {
  name: { type: 'string' },
  title: { type: 'string' },
  text: { type: ['string', 'null'] },
  is_broken: { type: 'boolean' },
} as const;

const LIST_SCHEMA = {
  summary: 'The dashboards',
  tags: ['data'],
  response: {
    200: {
      description: 'One for each file of config/dashboards/',
      type: 'object',
      required: ['dashboards', 'folder'],
      properties: {
        dashboards: {
          type: 'array',
          items: { type: 'object', required: Object.keys(SUMMARY), properties: SUMMARY },
        },
        folder: { type: 'string' },
      },
    },
  },
} as const;

const DASHBOARD_SCHEMA = {
  summary: 'A dashboard: what its panels ask for',
  tags: ['data'],
  params: { type: 'object', required: ['name'], properties: { name: { type: 'string', maxLength: 256 } } },
  response: {
    200: {
      description: 'The panels, or what is wrong with the file',
      type: 'object',
      required: [...Object.keys(SUMMARY), 'panels', 'problem'],
      properties: {
        ...SUMMARY,
        panels: { type: 'array', items: { type: 'object', additionalProperties: true } },
        problem: { type: ['string', 'null'] },
      },
    },
  },
} as const;

/** `GET /api/dashboards`, `GET /api/dashboards/:name`: the files of `config/dashboards/` as they are now. */
export function dashboardRoutes(app: FastifyInstance, { dashboards }: PipelineView): void {
  app.get('/api/dashboards', { schema: LIST_SCHEMA }, (): Dashboards => {
    return { dashboards: dashboards.list().map(summaryOf), folder: 'config/dashboards' };
  });

  app.get<{ Params: { name: string } }>(
    '/api/dashboards/:name',
    { schema: DASHBOARD_SCHEMA },
    ({ params }): Dashboard => {
      const file = dashboards.read(params.name);
      if (!file)
        throw new RequestProblem(
          404,
          'There is no such dashboard',
          'Dashboards are the files of config/dashboards.',
        );
      const panels = file.dashboard?.panels.map(panelOf) ?? [];
      return { ...summaryOf(file), panels, problem: file.problem ?? null };
    },
  );
}

function summaryOf({ name, dashboard }: DashboardFile): DashboardSummary {
  const isBroken = dashboard === undefined;
  return { name, title: dashboard?.title ?? name, text: dashboard?.text ?? null, is_broken: isBroken };
}

function panelOf(panel: DashboardPanel): Panel {
  const { title, text, heading, query, chart, number } = panel;
  return {
    ...{ title, text, heading, query },
    width: panel.width ?? usualWidth(panel),
    ...(chart && { chart: { ...chart, filters: filtersOf(chart) } as ChartPanel }),
    ...(number && { number: { ...number, filters: filtersOf(number) } as Panel['number'] }),
  };
}

function usualWidth({ number, heading }: DashboardPanel): PanelWidth {
  if (heading !== undefined) return 'full';
  return number ? 'quarter' : 'half';
}

/** Values are text on their way to the database. */
function filtersOf({
  filters,
}: NonNullable<DashboardPanel['chart']> | NonNullable<DashboardPanel['number']>) {
  return filters?.map(({ column, op, value }) => ({
    column,
    op: op as ChartFilter['op'],
    ...(value !== undefined && { value: Array.isArray(value) ? value.map(String) : String(value) }),
  }));
}
