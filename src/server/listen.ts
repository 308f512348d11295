import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HTTP_LIMITS, MAX_CONNECTIONS } from './limits.js';

/** A server with all limits that does not listen yet. */
export function makeServer(): Server {
  const server = createServer(HTTP_LIMITS);
  server.maxConnections = MAX_CONNECTIONS;
  // Who asks first whether to send a body is told by the app, see expectations.ts.
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  return server;
}

/** The addresses to listen at: the name `localhost` often stands for two. */
export async function addressesOf(host: string): Promise<string[]> {
  if (host !== 'localhost') return [host];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/**
 * Listens at each of the addresses. All requests are those of `server`; the servers of the other addresses, which hand over
 * to it, are answered. One that the machine knows by name only is passed over.
 * @throws system errors of the first address, such as EADDRINUSE
 */
export async function listen(
  server: Server,
  { addresses: [first, ...rest], port }: { addresses: readonly string[]; port: number },
): Promise<Server[]> {
  await listenAt(server, { host: first, port });
  const others: Server[] = [];
  for (const host of rest) {
    const other = makeServer();
    other.on('request', (request, response) => server.emit('request', request, response));
    const isThere = await listenAt(other, { host, port: portOf(server) }).then(
      () => true,
      () => false,
    );
    if (isThere) others.push(other);
  }
  return others;
}

/** The port that a server listens at. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Ends a server and its connections. */
export async function endServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function listenAt(server: Server, address: { host: string; port: number }): Promise<void> {
  server.listen(address);
  await once(server, 'listening');
}
