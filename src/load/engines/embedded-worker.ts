import { parentPort, workerData } from 'node:worker_threads';
import { EmbeddedHost } from './embedded-host.js';
import type { EmbeddedMessage, EmbeddedRequest, EmbeddedWorkerData } from './embedded-protocol.js';

// The embedded database in a thread of its own, since a statement in WebAssembly blocks its thread.
const port = parentPort!;
const send = (message: EmbeddedMessage) => port.postMessage(message);

const host = await EmbeddedHost.open(workerData as EmbeddedWorkerData, {
  onNotice: (text) => send({ kind: 'notice', text }),
  onBusy: (busy) => send({ kind: 'client', busy }),
});

port.on('message', ({ id, request }: { id: number; request: EmbeddedRequest }) => {
  host.handle(request).then(
    (result) => {
      send({ kind: 'done', id, result });
      if (request.kind === 'close') port.close();
    },
    (error) => send({ kind: 'failed', id, ...host.describe(error) }),
  );
});
send({ kind: 'ready' });
