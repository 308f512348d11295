import { Ajv } from 'ajv';
import type { FastifyInstance } from 'fastify';
import { quoteValue } from '../../base/text.js';
import type { PipelineView } from '../../pipeline/view/pipeline-view.js';
import type {
  ChartData,
  ColumnProfile as ProfiledColumn,
  ChartSpec as SpecOfView,
  TableSummary,
} from '../../pipeline/view/tables-view.js';
import type {
  ChartAnswer,
  ChartFilter,
  ChartSpec,
  ColumnProfile,
  Queries,
  QueryAnswer,
  Table,
  TableProfile,
  TableRows,
  Tables,
} from '../api/data.js';
import { audit } from '../auth/audit.js';
import { hiddenColumns, refuseHiddenSql } from '../privacy.js';
import { RequestProblem } from '../problem.js';
import type { User } from '../user.js';
import {
  CHART_SCHEMA,
  FILTERS_SCHEMA,
  PROFILE_SCHEMA,
  QUERIES_SCHEMA,
  QUERY_SCHEMA,
  ROWS_SCHEMA,
  TABLES_SCHEMA,
} from './data-schemas.js';

interface TableParams {
  Params: { table: string };
}

const isFilters = new Ajv().compile<ChartFilter[]>(FILTERS_SCHEMA);

/** The loaded tables: `GET /api/tables`, profiles, rows, charts and named queries. */
export function dataRoutes(app: FastifyInstance, view: PipelineView): void {
  const { tables: data, settings } = view;
  const hidden = (table: string, user: User) => hiddenColumns(settings, { dataset: table, user });
  const known = (table: string) => {
    if (Object.hasOwn(settings.tables, table)) return table;
    throw new RequestProblem(404, 'There is no such table', 'The tables are those of schema_sql.yaml.');
  };

  app.get('/api/tables', { schema: TABLES_SCHEMA }, async ({ user }): Promise<Tables> => {
    const tables = await data.tables();
    return { tables: tables.map((table) => tableOf(table, hidden(table.name, user))) };
  });

  app.get<TableParams>('/api/tables/:table/profile', { schema: PROFILE_SCHEMA }, async (request) => {
    const name = known(request.params.table);
    const without = hidden(name, request.user);
    const { table, profiledRows, columns } = await data.profile(name);
    const shown = tableOf(table, without);
    const profiles = columns.map((column, index): ColumnProfile => {
      const declared = shown.columns[index];
      return declared.is_hidden ? hiddenProfile(declared, column) : { ...declared, ...plain(column) };
    });
    return { table: shown, profiled_rows: profiledRows, columns: profiles } satisfies TableProfile;
  });

  app.get<TableParams & { Querystring: { offset: number; limit: number } }>(
    '/api/tables/:table/rows',
    { schema: ROWS_SCHEMA },
    async ({ params, query, user }): Promise<TableRows> => {
      const name = known(params.table);
      const page = await data.rows(name, { ...query, without: hidden(name, user) });
      return { ...page, offset: query.offset };
    },
  );

  app.get<{ Querystring: ChartQuery }>('/api/chart', { schema: CHART_SCHEMA }, async ({ query, user }) => {
    const { table, ...rest } = query;
    const spec = specOf(rest);
    refuseHidden(hidden(known(table), user), spec);
    return answerOf(await data.chart(table, spec));
  });

  app.get('/api/queries', { schema: QUERIES_SCHEMA }, ({ user }): Queries => {
    refuseHiddenSql(settings, user);
    return { queries: data.queries().map(({ name, title, question }) => ({ name, title, question })) };
  });

  app.get<{ Params: { name: string } }>(
    '/api/queries/:name/result',
    { schema: QUERY_SCHEMA },
    async (request): Promise<QueryAnswer> => {
      const { params, user } = request;
      refuseHiddenSql(settings, user);
      if (!data.queries().some(({ name }) => name === params.name))
        throw new RequestProblem(
          404,
          'There is no such query',
          'The queries are the files of the folder sql.',
        );
      audit(request, `ran the query ${quoteValue(params.name)}`);
      const { query, columns, rows, isCut, plot } = await data.query(params.name);
      const { name, title, question } = query;
      return { query: { name, title, question }, columns, rows, is_cut: isCut, plot: plot ?? null };
    },
  );
}

/** As it stands in the query string. */
interface ChartQuery extends Omit<ChartSpec, 'filters'> {
  filters?: string;
}

function specOf({ filters, ...rest }: Omit<ChartQuery, 'table'>): SpecOfView {
  return filters === undefined ? rest : { ...rest, filters: filtersOf(filters) };
}

function filtersOf(text: string): ChartFilter[] {
  const filters = parsed(text);
  if (isFilters(filters)) return filters;
  const [error] = isFilters.errors ?? [];
  throw new RequestProblem(
    400,
    `The parameter filters does not fit${error ? `: ${error.instancePath} ${error.message}` : ''}`,
    'It is a list in JSON, such as [{"column":"sex","op":"eq","value":"f"}].',
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A filter on a hidden column would tell its values by and by. */
function refuseHidden(hidden: ReadonlySet<string>, { x, y, colour, filters = [] }: SpecOfView): void {
  const used = [x, y, colour, ...filters.map(({ column }) => column)];
  const secret = used.find((name) => name !== undefined && hidden.has(name));
  if (secret !== undefined) throw new RequestProblem(403, `The column "${secret}" is private`);
}

function tableOf(table: TableSummary, hidden: ReadonlySet<string>): Table {
  return {
    name: table.name,
    columns: table.columns.map((column) => ({ ...column, is_hidden: hidden.has(column.name) })),
    rows: table.rows ?? null,
    is_estimate: table.isEstimate,
    loads: table.loads,
    last_loaded_at: table.lastLoadedAt ?? null,
  };
}

function plain({ nulls, distinct, min, max, mean, median, histogram, top }: ProfiledColumn) {
  return { nulls, distinct, min, max, mean, median, histogram, top };
}

function hiddenProfile(column: Table['columns'][number], { nulls }: ProfiledColumn): ColumnProfile {
  const nothing = { distinct: null, min: null, max: null, mean: null, median: null };
  return { ...column, nulls, ...nothing, histogram: [], top: [] };
}

function answerOf({ rowsRead, rowsLeftOut, categoriesLeftOut, firstRows, ...shown }: ChartData): ChartAnswer {
  return {
    ...shown,
    rows_read: rowsRead,
    rows_left_out: rowsLeftOut,
    categories_left_out: categoriesLeftOut,
    ...(firstRows !== undefined && { first_rows: firstRows }),
  };
}
