import type { Log } from '../base/log.js';
import type { ServerSettings } from '../config/settings.js';
import type { PipelineView } from '../pipeline/view/pipeline-view.js';

/** What the routes share. */
export interface ServerContext {
  view: PipelineView;
  settings: ServerSettings;
  log: Log;
}
