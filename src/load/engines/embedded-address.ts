import path from 'node:path';

/** libpq makes the name of a socket from the port. */
export const EMBEDDED_PORT = 5432;

/** PGlite's own; the rights on the socket are what protects it. */
export const EMBEDDED_LOGIN = { user: 'postgres', database: 'postgres' };

/** Path of the Unix socket by which `psql -h <socketDir>` reaches the embedded database. */
export function socketPath(socketDir: string): string {
  return path.join(socketDir, `.s.PGSQL.${EMBEDDED_PORT}`);
}
