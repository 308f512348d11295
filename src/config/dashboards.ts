import fs from 'node:fs';
import path from 'node:path';
import { DropgateError, errnoOf } from '../base/errors.js';
import { didYouMean } from '../base/suggest.js';
import { ConfigFile } from './config-file.js';
import { dashboardSchema } from './dashboard-schema.js';
import type { Environment } from './env.js';
import { Problems } from './problems.js';
import type { TableSpec } from './settings.js';
import { checkShape } from './shape.js';
import type { KeyPath } from './yaml-tree.js';

/** A dashboard as its file says, in the keys of the file. */
export interface Dashboard {
  title: string;
  text?: string;
  panels: DashboardPanel[];
}

/** Exactly one of `chart`, `query`, `number` and `heading` is there. */
export interface DashboardPanel {
  title?: string;
  text?: string;
  width?: 'quarter' | 'third' | 'half' | 'full';
  chart?: DashboardChart;
  /** A query of the folder `sql`. */
  query?: string;
  number?: DashboardNumber;
  heading?: string;
}

export interface DashboardFilter {
  column: string;
  op: string;
  value?: unknown;
}

export interface DashboardNumber {
  table: string;
  y?: string;
  aggregate?: string;
  filters?: DashboardFilter[];
  unit?: string;
  decimals?: number;
}

export interface DashboardChart extends Omit<DashboardNumber, 'decimals'> {
  kind: string;
  x?: string;
  colour?: string;
  bins?: number;
  limit?: number;
  stacked?: boolean;
  x_title?: string;
  y_title?: string;
  colour_title?: string;
}

/** One file of `config/dashboards/`: a dashboard, or what is wrong with it. */
export interface DashboardFile {
  /** The file's name without its ending. */
  name: string;
  dashboard?: Dashboard;
  /** With file, line and key. */
  problem?: string;
}

/** Where dashboards are and what they may speak of. */
export interface DashboardSite {
  root: string;
  configDir: string;
  env: Environment;
  tables: Readonly<Record<string, TableSpec>>;
  /** Names of the queries that there are. */
  queries: string[];
}

const FOLDER = 'dashboards';
const CONTENTS = ['chart', 'query', 'number', 'heading'] as const;
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*(?=\.ya?ml$)/u;

/** Names of the dashboards, in the order of the alphabet. */
export function listDashboards({ configDir }: Pick<DashboardSite, 'configDir'>): string[] {
  return fileNames(path.join(configDir, FOLDER))
    .map((file) => NAME.exec(file)![0])
    .sort();
}

/** When a dashboard's file was last written, to know whether it changed. Undefined when there is none. */
export function dashboardVersion(
  name: string,
  { configDir }: Pick<DashboardSite, 'configDir'>,
): string | undefined {
  const file = fileOf(name, configDir);
  const status = file && fs.statSync(path.join(configDir, FOLDER, file), { throwIfNoEntry: false });
  return status && `${status.mtimeMs} ${status.size} ${status.ino}`;
}

/** Reads and checks one dashboard. Undefined when there is no such file; a mistake in it is part of the answer. */
export function readDashboard(name: string, site: DashboardSite): DashboardFile | undefined {
  const fileName = fileOf(name, site.configDir);
  if (!fileName) return undefined;
  const problems = new Problems();
  const file = new ConfigFile({ ...site, problems }, path.join(FOLDER, fileName));
  if (!file.node && !file.isFaulty())
    file.complain([], 'the file is empty; expected a mapping with title and panels');
  const dashboard = checkShape(file, dashboardSchema) as Dashboard | undefined;
  if (dashboard && !file.isFaulty()) checkPanels(file, { dashboard, site });
  try {
    problems.throwIfAny();
    return { name, dashboard };
  } catch (error) {
    if (error instanceof DropgateError) return { name, problem: error.message };
    throw error;
  }
}

function checkPanels(
  file: ConfigFile,
  { dashboard, site }: { dashboard: Dashboard; site: DashboardSite },
): void {
  for (const [index, panel] of dashboard.panels.entries()) {
    const at: KeyPath = ['panels', index];
    const contents = CONTENTS.filter((content) => panel[content] !== undefined);
    if (contents.length !== 1) {
      file.complain(
        at,
        `found ${contents.join(' and ') || 'nothing'}, expected one of ${CONTENTS.join(', ')}`,
      );
      continue;
    }
    if (panel.query !== undefined && !site.queries.includes(panel.query))
      file.complain(
        [...at, 'query'],
        `there is no query "${panel.query}"${didYouMean(panel.query, site.queries)}`,
      );
    const asked = panel.chart ?? panel.number;
    if (asked) checkAsked(file, { asked, at: [...at, contents[0]], site });
  }
}

/** Names of tables and columns, so that a mistake is found before anybody looks at the dashboard. */
function checkAsked(
  file: ConfigFile,
  { asked, at, site }: { asked: DashboardChart | DashboardNumber; at: KeyPath; site: DashboardSite },
): void {
  const table = Object.hasOwn(site.tables, asked.table) ? site.tables[asked.table] : undefined;
  if (!table) {
    const help = didYouMean(asked.table, Object.keys(site.tables));
    file.complain([...at, 'table'], `there is no table "${asked.table}" in schema_sql.yaml${help}`);
    return;
  }
  const names = table.columns.map(({ name }) => name);
  const check = (name: string | undefined, key: KeyPath) => {
    if (name === undefined || names.includes(name)) return;
    file.complain(
      [...at, ...key],
      `table "${asked.table}" has no column "${name}"${didYouMean(name, names)}`,
    );
  };
  const { x, colour } = asked as DashboardChart;
  check(x, ['x']);
  check(asked.y, ['y']);
  check(colour, ['colour']);
  for (const [index, filter] of (asked.filters ?? []).entries())
    check(filter.column, ['filters', index, 'column']);
}

function fileOf(name: string, configDir: string): string | undefined {
  return fileNames(path.join(configDir, FOLDER)).find((file) => NAME.exec(file)![0] === name);
}

function fileNames(folder: string): string[] {
  try {
    return fs.readdirSync(folder).filter((file) => NAME.test(file));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
