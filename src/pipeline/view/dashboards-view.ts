import {
  type DashboardFile,
  dashboardVersion,
  listDashboards,
  readDashboard,
} from '../../config/dashboards.js';
import type { Settings } from '../../config/settings.js';
import { listQueries } from '../query.js';

export type { Dashboard, DashboardFile, DashboardPanel } from '../../config/dashboards.js';

/** The dashboards of `config/dashboards/`, as their files are now. */
export interface DashboardsView {
  /** All of them, also those with mistakes. */
  list(): DashboardFile[];
  /** Undefined when there is no such file. */
  read(name: string): DashboardFile | undefined;
}

/** The view on the dashboards; a file is read again when it has changed. */
export function openDashboardsView(settings: Settings): DashboardsView {
  const known = new Map<string, { version: string; file: DashboardFile }>();
  const read = (name: string): DashboardFile | undefined => {
    const queries = listQueries(settings).map((query) => query.name);
    const written = dashboardVersion(name, settings);
    const version = written && JSON.stringify([written, queries]);
    if (version === undefined) return undefined;
    const last = known.get(name);
    if (last?.version === version) return last.file;
    const file = readDashboard(name, { ...settings, env: process.env, queries });
    if (file) known.set(name, { version, file });
    return file;
  };
  return {
    list: () => listDashboards(settings).flatMap((name) => read(name) ?? []),
    read,
  };
}
