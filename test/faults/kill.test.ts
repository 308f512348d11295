import { describe, expect, it } from 'vitest';
import { killAndCheck } from './support/killing.js';
import { chosenSeed } from './support/random.js';
import type { EngineName } from './support/targets.js';

/** How often the daemon is killed on each engine; DROPGATE_FAULT_KILLS overrides it for all (see scripts/soak.mjs). */
const KILLS: Record<EngineName, number> = { none: 40, postgres: 30, mysql: 25, embedded: 8 };
const wanted = Number(process.env.DROPGATE_FAULT_KILLS ?? 0);
const engines = (process.env.DROPGATE_FAULT_ENGINES?.split(',') ?? Object.keys(KILLS)) as EngineName[];
/** A kill and the start after it take a second or two on a slow machine. */
const TIMEOUT_MS_A_KILL = 15_000;

describe.concurrent('kill -9 at any moment', () => {
  it.each(engines)(
    'loses no row and loads none twice on %s',
    async (engine) => {
      const kills = wanted || KILLS[engine];
      const seed = chosenSeed();
      console.log(`kill -9 on ${engine}: seed ${seed}`);
      const outcome = await killAndCheck({ engine, kills, seed });
      console.log(`kill -9 on ${engine}: ${JSON.stringify(outcome)}`);
      expect(outcome.kills).toBe(kills);
      expect(outcome.rowsInTable).toBeGreaterThan(0);
    },
    180_000 + (wanted || 40) * TIMEOUT_MS_A_KILL,
  );
});
