import type { Settings } from '../../config/settings.js';
import type { Daemon } from '../daemon.js';
import { type FilesView, openFilesView } from './files-view.js';
import { type OperationsView, openOperationsView } from './operations-view.js';
import { openUploadView, type UploadView } from './upload-view.js';

/**
 * What the server may see and do of a running pipeline: its only way to it. Each part is an interface of its own, made in a
 * file of this folder.
 */
export interface PipelineView {
  settings: Settings;
  files: FilesView;
  operations: OperationsView;
  uploads: UploadView;
  /** Lets go of what the views hold; the pipeline goes on. */
  close(): Promise<void>;
}

/** The view on a running daemon. */
export function openView(daemon: Daemon): PipelineView {
  const { settings } = daemon.pipeline;
  const files = openFilesView(daemon);
  return {
    settings,
    files,
    operations: openOperationsView(daemon),
    uploads: openUploadView(daemon),
    close: () => files.close(),
  };
}
