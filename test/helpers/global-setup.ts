import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { installMissingBrowser } from './browser-program.js';
import { startMysql } from './mysql-server.js';
import { startPostgres } from './postgres-server.js';
import type { PrivateServer } from './private-server.js';
import { installMissingServers, type ServerEngine } from './server-programs.js';
import { sweepLeftovers } from './sweep.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `http://127.0.0.1:port`; GET /postgres or /mysql answers with the URL of the run's server, which it starts if need be. */
    serverBroker: string;
  }
}

const STARTERS: Record<ServerEngine, () => Promise<PrivateServer>> = {
  postgres: startPostgres,
  mysql: startMysql,
};

/**
 * Runs once per run, before all tests. Nothing is started here: test processes ask the broker for a server, so runs
 * that need no database do not pay for one.
 * @returns the undoing, run after all tests
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  sweepLeftovers();
  await installMissingServers();
  await installMissingBrowser();
  const started = new Map<ServerEngine, Promise<PrivateServer>>();
  const broker = createServer((request, response) => {
    const engine = request.url?.slice(1) as ServerEngine;
    if (!started.has(engine)) started.set(engine, STARTERS[engine]());
    answer(response, started.get(engine)!);
  });
  broker.listen(0, '127.0.0.1').unref();
  await once(broker, 'listening');
  project.provide('serverBroker', `http://127.0.0.1:${(broker.address() as AddressInfo).port}`);

  return async () => {
    broker.close();
    broker.closeAllConnections();
    const servers = await Promise.allSettled(started.values());
    await Promise.all(servers.map((server) => server.status === 'fulfilled' && server.value.dispose()));
  };
}

function answer(response: ServerResponse, server: Promise<PrivateServer>): void {
  // On a busy machine a test would ask on a connection that is just being closed for having been idle.
  response.setHeader('Connection', 'close');
  server.then(
    ({ url }) => response.end(url),
    (error: Error) => response.writeHead(500).end(error.message),
  );
}
