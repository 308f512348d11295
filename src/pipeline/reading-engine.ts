import fs from 'node:fs';
import { DropgateError, type ReasonCode } from '../base/errors.js';
import { pause } from '../base/retry.js';
import type { DatabaseSettings, Settings } from '../config/settings.js';
import { FolderLock, isLocked } from '../ledger/lock.js';
import type { Engine } from '../load/engine.js';
import { isEmbeddedServing, openEngine } from '../load/open-engine.js';

type Embedded = Extract<DatabaseSettings, { engine: 'embedded' }>;
type Work<T> = (engine: Engine) => Promise<T>;

/** How long a process that holds the embedded database may take until its socket answers. */
const MAX_WAIT_MS = 15_000;
const LOOK_EVERY_MS = 100;

/**
 * Lends an engine to `work`, beside a daemon or without one: a server is simply used; the embedded database is reached
 * through the socket of the process that owns it, or, when nobody does, opened here under the lock of the folders for as
 * long as `work` takes. `work` only reads, and is begun again when the owner ends meanwhile.
 * @throws DropgateError `database_unreachable`; `locked` when the owner's socket does not answer in time;
 *   `config_invalid` when there is no database; whatever `work` throws
 */
export async function withReadingEngine<T>(
  settings: Settings,
  work: Work<T>,
  { maxWaitMs = MAX_WAIT_MS }: { maxWaitMs?: number } = {},
): Promise<T> {
  const { database } = settings;
  if (database.engine === 'none') {
    throw new DropgateError('config_invalid', 'db_creds.yaml says "engine: none": there is no database', {
      hint: 'Name a database in db_creds.yaml; docs/configuration.md shows how.',
    });
  }
  if (database.engine !== 'embedded') return lend(openEngine(database), work);
  return withEmbedded({ database, stateFolder: settings.folders.state, maxWaitMs }, work);
}

interface EmbeddedPlace {
  database: Embedded;
  stateFolder: string;
  maxWaitMs: number;
}

async function withEmbedded<T>(place: EmbeddedPlace, work: Work<T>): Promise<T> {
  const { database, maxWaitMs } = place;
  const deadlineMs = performance.now() + maxWaitMs;
  for (;;) {
    const isServed = await isEmbeddedServing(database.socketDir);
    try {
      return isServed
        ? await lend(openEngine({ ...database, mode: 'client' }), work)
        : await asOwner(place, work);
    } catch (error) {
      // Client: the owner may have ended, and another come. Owner: whoever holds the lock may be about to serve.
      const passing: ReasonCode = isServed ? 'database_unreachable' : 'locked';
      const canPass = error instanceof DropgateError && error.code === passing;
      if (!canPass || performance.now() >= deadlineMs) throw error;
      await pause(LOOK_EVERY_MS);
    }
  }
}

async function asOwner<T>({ database, stateFolder }: EmbeddedPlace, work: Work<T>): Promise<T> {
  if (!fs.existsSync(database.dataDir) && !isLocked(stateFolder)) {
    throw new DropgateError(
      'database_unreachable',
      `there is no embedded database yet in ${database.dataDir}`,
      {
        hint: 'It is created when the first file is loaded: run "dropgate once" or "dropgate run".',
      },
    );
  }
  const lock = FolderLock.acquire(stateFolder);
  try {
    return await lend(openEngine({ ...database, mode: 'own' }), work);
  } finally {
    lock.release();
  }
}

async function lend<T>(engine: Engine, work: Work<T>): Promise<T> {
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}
