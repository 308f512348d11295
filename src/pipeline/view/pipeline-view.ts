import type { Settings } from '../../config/settings.js';
import type { Daemon } from '../daemon.js';
import { type DashboardsView, openDashboardsView } from './dashboards-view.js';
import { type FilesView, openFilesView } from './files-view.js';
import { type OperationsView, openOperationsView } from './operations-view.js';
import { openQualityView, type QualityView } from './quality-view.js';
import { openSqlView, type SqlView } from './sql-view.js';
import { openTablesView, type TablesView } from './tables-view.js';
import { openUploadView, type UploadView } from './upload-view.js';

/**
 * What the server may see and do of a running pipeline: its only way to it. Each part is an interface of its own, made in a
 * file of this folder.
 */
export interface PipelineView {
  settings: Settings;
  files: FilesView;
  operations: OperationsView;
  sql: SqlView;
  uploads: UploadView;
  tables: TablesView;
  dashboards: DashboardsView;
  quality: QualityView;
  /** Lets go of what the views hold; the pipeline goes on. */
  close(): Promise<void>;
}

/** The view on a running daemon. */
export function openView(daemon: Daemon): PipelineView {
  const { settings, engine } = daemon.pipeline;
  const files = openFilesView(daemon);
  return {
    settings,
    files,
    operations: openOperationsView(daemon),
    sql: openSqlView(daemon.pipeline),
    uploads: openUploadView(daemon),
    tables: openTablesView(settings, engine),
    dashboards: openDashboardsView(settings),
    quality: openQualityView(daemon),
    close: () => files.close(),
  };
}
