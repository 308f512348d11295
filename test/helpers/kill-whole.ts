import type { Engine } from '../../src/load/engine.js';
import type { PrivateServer } from './private-server.js';
import { waitFor } from './wait-for.js';

/**
 * Kills the server with its sessions. A session of Postgres is a process of its own, which outlives the killed parent
 * until it waits for its client; it could take the rest of the rows and commit.
 */
export async function killWhole(server: PrivateServer, postgres?: Pick<Engine, 'query'>): Promise<void> {
  const sessions =
    (await postgres?.query('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')) ?? [];
  await server.kill();
  for (const { pid } of sessions) await waitFor(`process ${pid} to end`, () => !isAlive(Number(pid)));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
