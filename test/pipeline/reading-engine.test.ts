import { cpSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/config/settings.js';
import { FolderLock, isLocked } from '../../src/ledger/lock.js';
import { openEngine } from '../../src/load/open-engine.js';
import { withReadingEngine } from '../../src/pipeline/reading-engine.js';
import { tempDir } from '../helpers/temp-dir.js';

/** Making the embedded database takes seconds; tests get copies of one. */
const template = path.join(tempDir(), 'embedded');

interface Place {
  settings: Settings;
  state: string;
  database: { dataDir: string; socketDir: string };
}

function place({ hasData = true } = {}): Place {
  const state = tempDir();
  const database = { dataDir: path.join(state, 'embedded'), socketDir: path.join(state, 'run') };
  if (hasData) cpSync(template, database.dataDir, { recursive: true });
  const settings = { database: { engine: 'embedded', ...database }, folders: { state } };
  return { settings: settings as unknown as Settings, state, database };
}

function ask({ settings }: Place, maxWaitMs?: number): Promise<unknown> {
  return withReadingEngine(
    settings,
    async (engine) => (await engine.readOnly('SELECT 41 + 1', { timeoutMs: 10_000 })).rows[0][0],
    { maxWaitMs },
  );
}

beforeAll(async () => {
  const engine = openEngine({ engine: 'embedded', mode: 'own', dataDir: template, socketDir: tempDir() });
  await engine.connect();
  await engine.close();
});

describe('the embedded database', () => {
  it('is opened under the lock when nobody has it, and let go of afterwards', async () => {
    const here = place();
    const seen = await withReadingEngine(here.settings, async (engine) => {
      await engine.readOnly('SELECT 1', { timeoutMs: 10_000 });
      return isLocked(here.state);
    });
    expect({ during: seen, after: isLocked(here.state) }).toEqual({ during: true, after: false });
  });

  it('is reached through the socket of the process that has it', async () => {
    const here = place();
    const lock = FolderLock.acquire(here.state);
    const owner = openEngine({ engine: 'embedded', mode: 'own', ...here.database });
    await owner.connect();
    expect(await ask(here)).toBe(42);
    await owner.close();
    lock.release();
  });

  it('is waited for while its owner starts', async () => {
    const here = place();
    const lock = FolderLock.acquire(here.state);
    const owner = openEngine({ engine: 'embedded', mode: 'own', ...here.database });
    const [answer] = await Promise.all([ask(here), owner.connect()]);
    expect(answer).toBe(42);
    await owner.close();
    lock.release();
  });

  it('is given up when whoever holds the lock does not answer in time', async () => {
    const here = place();
    const lock = FolderLock.acquire(here.state);
    await expect(ask(here, 200)).rejects.toMatchObject({ code: 'locked' });
    lock.release();
    expect(await ask(here)).toBe(42);
  });

  it('is not created only to be asked', async () => {
    const here = place({ hasData: false });
    await expect(ask(here)).rejects.toMatchObject({ code: 'database_unreachable' });
    expect(isLocked(here.state)).toBe(false);
  });

  it('is opened here when its owner ends in the middle of an answer', async () => {
    const here = place();
    const lock = FolderLock.acquire(here.state);
    const owner = openEngine({ engine: 'embedded', mode: 'own', ...here.database });
    await owner.connect();
    let turns = 0;
    const answer = await withReadingEngine(here.settings, async (engine) => {
      turns++;
      if (turns === 1) {
        await owner.close();
        lock.release();
      }
      return (await engine.readOnly('SELECT 41 + 1', { timeoutMs: 10_000 })).rows[0][0];
    });
    expect({ answer, turns }).toEqual({ answer: 42, turns: 2 });
  });
});

it('needs a database', async () => {
  const settings = { database: { engine: 'none' } } as Settings;
  await expect(withReadingEngine(settings, async () => 1)).rejects.toMatchObject({ code: 'config_invalid' });
});
