import { once } from 'node:events';
import type { Server } from 'node:net';

/** The system gives those above to anybody who asks for a free port: while nobody listens on one of these, it stays free. */
const PORTS = { first: 16_000, count: 16_000 };

/** Has a server listen on a port to which it can come back after it has been closed. Answers the port. */
export async function listenOnOwnPort(server: Server): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}
