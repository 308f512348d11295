import { execFileSync } from 'node:child_process';
import { median } from './statistics.mjs';

/**
 * Runs contestants alternately, so that whatever else the machine does meets all of them.
 *
 * @param {{ name: string, run: (round: number) => Promise<{ ms: number, cpuMs?: number }> }[]} contestants
 * @param {number} rounds
 * @returns {Promise<Map<string, { ms: number, cpuMs?: number, all: number[] }>>} medians, and every wall time
 */
export async function alternate(contestants, rounds) {
  const times = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contestants) {
      // What one wrote and did not flush would be written while the next one is measured.
      execFileSync('sync');
      const time = await run(round);
      times.get(name).push(time);
      process.stderr.write(`  round ${round + 1}/${rounds}  ${name}: ${Math.round(time.ms)} ms\n`);
    }
  }
  return new Map([...times].map(([name, list]) => [name, summary(list)]));
}

function summary(times) {
  return {
    ms: median(times.map(({ ms }) => ms)),
    ...(times.every(({ cpuMs }) => cpuMs !== undefined) && {
      cpuMs: median(times.map(({ cpuMs }) => cpuMs)),
    }),
    all: times.map(({ ms }) => ms),
  };
}

/** `medians of 5 rounds`; fewer than five are pointed out. */
export function roundsText(rounds) {
  if (rounds === 1) return 'one round only';
  return rounds < 5 ? `medians of ${rounds} rounds only` : `medians of ${rounds} rounds`;
}
