import { errnoOf, messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { backoffMs, pause } from '../base/retry.js';
import type { Daemon } from '../pipeline/daemon.js';
import { openView, type PipelineView } from '../pipeline/view/pipeline-view.js';
import type { RunningServer } from '../server/server.js';

/** A port that is taken may become free. */
const RETRY = { firstMs: 2000, maxMs: 60_000 };

/** The pages of a running daemon. */
export interface Pages {
  close(): Promise<void>;
}

/**
 * Serves the pages beside the daemon, which goes on whatever becomes of them. A port that is taken is tried again until
 * it is free.
 */
export function servePages(daemon: Daemon, log: Log): Pages {
  const ended = new AbortController();
  const view = openView(daemon);
  const serving = serve(view, log, ended.signal);
  return {
    close: async () => {
      ended.abort();
      await (await serving)?.close();
      await view.close();
    },
  };
}

async function serve(view: PipelineView, log: Log, ended: AbortSignal): Promise<RunningServer | undefined> {
  // Loaded once the daemon is ready: files do not wait for the pages.
  const { startServer } = await import('../server/server.js');
  const { server: settings } = view.settings;
  for (let attempts = 1; !ended.aborted; attempts++) {
    try {
      const server = await startServer({ view, settings, log });
      log.info(`The pages are at ${server.url}`);
      return server;
    } catch (error) {
      if (attempts === 1) {
        const isTaken = errnoOf(error) === 'EADDRINUSE';
        const reason = isTaken ? `port ${settings.port} is taken` : messageOf(error);
        log.error(
          `The pages cannot be served for now: ${reason}; files are taken all the same, trying again`,
        );
      }
      await pause(backoffMs(attempts, RETRY), ended);
    }
  }
  return undefined;
}
