import { formatSqlType } from '../../base/sql-type.js';
import type { Settings } from '../../config/settings.js';
import type { Engine } from '../../load/engine.js';
import { chartData } from '../../load/explore/chart.js';
import type { ChartCell, ChartData, ChartSpec } from '../../load/explore/chart-spec.js';
import { type ColumnClass, classOf } from '../../load/explore/column.js';
import { type ColumnProfile, profileColumns } from '../../load/explore/profile.js';
import { readPage } from '../../load/explore/tables.js';
import { plainCell, type QueryAnswer, queryAnswer } from '../explore/query-answer.js';
import { TableReader } from '../explore/table-reader.js';
import { listQueries, type NamedQuery, namedQuery } from '../query.js';

export type {
  ChartCell,
  ChartColumn,
  ChartData,
  ChartFilter,
  ChartSpec,
} from '../../load/explore/chart-spec.js';
export { AGGREGATES, CHART_KINDS, FILTER_OPERATORS } from '../../load/explore/chart-spec.js';
export type { ColumnProfile } from '../../load/explore/profile.js';
export { TIME_UNITS } from '../../load/explore/scale.js';
export type { QueryAnswer } from '../explore/query-answer.js';

/** A table of the settings. */
export interface TableSummary {
  name: string;
  columns: { name: string; type: string; class: ColumnClass }[];
  /** Undefined while the table is not there. */
  rows: number | undefined;
  /** There are too many rows to count; `rows` is then the number that was loaded. */
  isEstimate: boolean;
  loads: number;
  /** ISO 8601. */
  lastLoadedAt: string | undefined;
}

/** What a table holds. */
export interface TableProfile {
  table: TableSummary;
  /** Fewer than the table has when only its first rows were looked at. */
  profiledRows: number;
  columns: ColumnProfile[];
}

/** Some rows of a table. */
export interface RowsPage {
  columns: string[];
  rows: ChartCell[][];
}

/** The loaded tables, for looking at. Everything is read from the database, in bounded answers. */
export interface TablesView {
  /** All tables, also those that are not there yet. */
  tables(): Promise<TableSummary[]>;
  profile(table: string): Promise<TableProfile>;
  /** Rows in the order in which the database has them. */
  rows(
    table: string,
    page: { offset: number; limit: number; without: ReadonlySet<string> },
  ): Promise<RowsPage>;
  chart(table: string, spec: ChartSpec): Promise<ChartData>;
  queries(): NamedQuery[];
  query(name: string): Promise<QueryAnswer>;
}

/** How many rows of a big table are looked at. On the embedded database loads wait meanwhile. */
const MOST_ROWS = {
  server: { profile: 50_000, grouped: 1_000_000, sorted: 200_000 },
  embedded: { profile: 10_000, grouped: 200_000, sorted: 50_000 },
};

/** Whether the database sorts or numbers the rows, which takes it ten times as long as to put them together. */
function isSorting({ kind, aggregate }: ChartSpec): boolean {
  return kind === 'box' || kind === 'scatter' || aggregate === 'median' || aggregate === 'distinct';
}

/** The view on the tables of a running daemon. */
export function openTablesView(settings: Settings, engine: Engine | undefined): TablesView {
  const reader = new TableReader({ engine, tables: settings.tables });
  const most = MOST_ROWS[settings.database.engine === 'embedded' ? 'embedded' : 'server'];
  const tables = async () => {
    const states = await reader.states();
    return Promise.all(
      states.map(async (state): Promise<TableSummary> => {
        const count = state.isPresent ? await reader.count(state) : undefined;
        return {
          name: state.spec.name,
          columns: state.spec.columns.map((column) => ({
            name: column.name,
            type: formatSqlType(column.type),
            class: classOf(column),
          })),
          rows: count?.rows,
          isEstimate: count?.isEstimate ?? false,
          loads: state.mark?.loads ?? 0,
          lastLoadedAt: state.mark?.lastLoadedAt,
        };
      }),
    );
  };
  return {
    tables,
    profile: async (name) => {
      const { rows, columns } = await reader.answer(name, {
        question: 'profile',
        mostRows: most.profile,
        work: (table) => profileColumns({ dialect: reader.dialect, table, read: reader.read }),
      });
      const table = (await tables()).find((candidate) => candidate.name === name)!;
      return { table, profiledRows: rows, columns };
    },
    rows: async (name, { offset, limit, without }) => {
      const { spec } = await reader.present(name);
      const columns = spec.columns.filter((column) => !without.has(column.name));
      const source = { dialect: reader.dialect, read: reader.read };
      const found = await readPage(source, { table: { name, columns }, offset, limit });
      const rows = found.map((row) => row.map((value, index) => shownCell(columns[index], value)));
      return { columns: columns.map((column) => column.name), rows };
    },
    chart: (name, spec) =>
      reader.answer(name, {
        question: JSON.stringify(spec),
        mostRows: isSorting(spec) ? most.sorted : most.grouped,
        work: (table) => chartData({ dialect: reader.dialect, table, read: reader.read }, spec),
      }),
    queries: () => listQueries(settings),
    query: async (given) => {
      const sql = namedQuery(settings, given);
      const query = listQueries(settings).find(({ name }) => name === given.replace(/\.sql$/i, ''))!;
      return reader.answerOfAll(JSON.stringify([query, sql]), async () =>
        queryAnswer(query, await reader.read({ sql, params: [] })),
      );
    },
  };
}

/** MySQL's truth values are numbers. */
function shownCell(column: Parameters<typeof classOf>[0], value: Parameters<typeof plainCell>[0]): ChartCell {
  return classOf(column) === 'boolean' && value !== null ? value === true || value === 1 : plainCell(value);
}
