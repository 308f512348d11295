import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, pause, TroubleNotice } from '../../src/base/retry.js';

describe('backoffMs', () => {
  it('lies between half and all of the exponential step, and never above the longest delay', () => {
    const options = fc.record({
      firstMs: fc.integer({ min: 1, max: 10_000 }),
      maxMs: fc.integer({ min: 10_000, max: 600_000 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), options, (attempt, { firstMs, maxMs }) => {
        const step = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 40));
        const delay = backoffMs(attempt, { firstMs, maxMs });
        expect(delay).toBeGreaterThanOrEqual(step / 2);
        expect(delay).toBeLessThanOrEqual(step);
      }),
    );
  });

  it('is spread, so that many do not come back at once', () => {
    const delays = Array.from({ length: 50 }, () => backoffMs(1, { firstMs: 1000, maxMs: 1000 }));
    expect(new Set(delays).size).toBeGreaterThan(10);
  });
});

describe('pause', () => {
  it('ends at once when it is aborted, before or meanwhile', async () => {
    const stop = new AbortController();
    const paused = pause(3_600_000, stop.signal);
    stop.abort();
    await paused;
    await pause(3_600_000, stop.signal);
  });

  it('leaves no listener behind', async () => {
    const added: string[] = [];
    const signal = {
      aborted: false,
      addEventListener: (name: string) => added.push(name),
      removeEventListener: (name: string) => added.splice(added.indexOf(name), 1),
    } as unknown as AbortSignal;
    await pause(1, signal);
    expect(added).toEqual([]);
  });
});

describe('TroubleNotice', () => {
  it('tells the first failure, counts the repeats in silence, and tells the end once', () => {
    const told: string[] = [];
    const notice = new TroubleNotice(3_600_000);
    expect(notice.active).toBe(false);
    for (let i = 0; i < 3; i++) notice.failed((repeats) => told.push(`failed, ${repeats} untold`));
    expect(notice.active).toBe(true);
    for (let i = 0; i < 2; i++) notice.recovered((ms) => told.push(ms >= 0 ? 'works again' : 'odd'));
    expect(notice.active).toBe(false);
    expect(told).toEqual(['failed, 0 untold', 'works again']);
  });

  it('tells again after its time, with the number of failures in between', () => {
    const told: number[] = [];
    const notice = new TroubleNotice(30);
    notice.failed((repeats) => told.push(repeats));
    notice.failed((repeats) => told.push(repeats));
    notice.failed((repeats) => told.push(repeats));
    const until = performance.now() + 31;
    while (performance.now() < until);
    notice.failed((repeats) => told.push(repeats));
    expect(told).toEqual([0, 2]);
  });

  it('tells a new trouble at once', () => {
    const told: number[] = [];
    const notice = new TroubleNotice(3_600_000);
    notice.failed((repeats) => told.push(repeats));
    notice.recovered(() => undefined);
    notice.failed((repeats) => told.push(repeats));
    expect(told).toEqual([0, 0]);
  });
});
