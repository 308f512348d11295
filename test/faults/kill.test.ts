import { describe, expect, it } from 'vitest';
import { killAndCheck } from './support/killing.js';
import { chosenSeed } from './support/random.js';
import type { EngineName } from './support/targets.js';

/** How often the daemon is killed on each engine; DROPGATE_FAULT_KILLS overrides it for all (see scripts/soak.mjs). */
const KILLS: Record<EngineName, number> = { none: 40, postgres: 30, mysql: 24, embedded: 8 };
const wanted = Number(process.env.DROPGATE_FAULT_KILLS ?? 0);
const engines = (process.env.DROPGATE_FAULT_ENGINES?.split(',') ?? Object.keys(KILLS)) as EngineName[];
/** More kills than this are spread over several runs, each in a folder of its own and with a seed of its own. */
const MOST_A_RUN = 100;
/** A kill and the start after it take a second or two, and far more on a busy machine. */
const TIMEOUT_MS_A_KILL = 15_000;

const firstSeed = chosenSeed();
const runs = engines.flatMap((engine) => {
  const kills = wanted || KILLS[engine];
  const count = Math.ceil(kills / MOST_A_RUN);
  return Array.from({ length: count }, (_, i) => ({
    engine,
    kills: Math.min(MOST_A_RUN, kills - i * MOST_A_RUN),
    seed: firstSeed + i,
  }));
});

describe.concurrent('kill -9 at any moment', () => {
  it.each(runs)(
    'loses no row and loads none twice: $kills kills on $engine, seed $seed',
    async (run) => {
      const outcome = await killAndCheck(run);
      console.log(`kill -9 on ${run.engine}, seed ${run.seed}: ${JSON.stringify(outcome)}`);
      expect(outcome.kills).toBe(run.kills);
      expect(outcome.rowsInTable).toBeGreaterThan(0);
    },
    180_000 + MOST_A_RUN * TIMEOUT_MS_A_KILL,
  );
});
