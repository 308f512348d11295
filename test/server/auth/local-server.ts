import type { FastifyInstance, RouteOptions } from 'fastify';
import { openLog } from '../../../src/base/log.js';
import { loadSettings } from '../../../src/config/load-settings.js';
import { startDaemon } from '../../../src/pipeline/daemon.js';
import { openView } from '../../../src/pipeline/view/pipeline-view.js';
import { buildApp } from '../../../src/server/app.js';
import { Site } from '../../e2e/site.js';

/** The server of a daemon in this process, to which requests are handed without a network (`app.inject`). */
export interface LocalServer {
  app: FastifyInstance;
  site: Site;
  /** Every route that was registered. */
  routes: { method: string; url: string; config: RouteOptions['config'] }[];
  close(): Promise<void>;
}

/** Starts a daemon without a database and builds its server. `server` is YAML below `server:`. */
export async function openLocalServer({
  server = 'enabled: true',
  config = {},
}: {
  server?: string;
  config?: Record<string, string>;
} = {}): Promise<LocalServer> {
  const site = new Site({
    'dropgate.yaml': `server: { ${server} }\n`,
    'db_creds.yaml': 'database: { engine: none }\n',
    ...config,
  });
  const settings = loadSettings({ root: site.root, configDir: site.path('config'), env: {} });
  const log = openLog({ file: settings.folders.logFile, ...settings.log });
  const daemon = await startDaemon({ settings, log });
  const routes: LocalServer['routes'] = [];
  const view = openView(daemon);
  const context = { view, settings: settings.server, log };
  const app = await buildApp(context, {
    onRoute: ({ method, url, config }) => {
      for (const one of [method].flat()) routes.push({ method: one, url, config });
    },
  });
  await app.ready();
  return {
    ...{ app, site, routes },
    close: async () => {
      await app.close();
      await view.close();
      await daemon.stop();
      log.close();
      await site.close();
    },
  };
}
