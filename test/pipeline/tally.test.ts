import { describe, expect, it } from 'vitest';
import { DURATION_BOUNDS_S, Durations, LabelledCounts } from '../../src/pipeline/tally.js';

describe('LabelledCounts', () => {
  it('adds up what has the same labels', () => {
    const counts = new LabelledCounts<{ a: string; b: string }>();
    counts.add({ a: 'x', b: '' });
    counts.add({ a: '', b: 'x' }, 5);
    counts.add({ a: 'x', b: '' }, 2);
    expect([...counts.all()]).toEqual([
      { labels: { a: 'x', b: '' }, value: 3 },
      { labels: { a: '', b: 'x' }, value: 5 },
    ]);
  });
});

describe('Durations', () => {
  it('puts a bound itself into its own class, and what is longer than all into the last', () => {
    const durations = new Durations();
    for (const bound of DURATION_BOUNDS_S) durations.add(bound * 1000);
    durations.add(301_000);
    expect(durations.counts).toEqual(new Array(DURATION_BOUNDS_S.length + 1).fill(1));
    expect(durations.sumS).toBeCloseTo(DURATION_BOUNDS_S.reduce((sum, bound) => sum + bound, 301));
  });
});
