import { expect, it } from 'vitest';
import { ClockWatch } from '../../src/base/clock-watch.js';

const HOUR_MS = 3_600_000;

/** Clocks that are set by hand. */
class TestClocks {
  wallMs = Date.UTC(2026, 10, 22);
  steadyMs = 5000;
  wall = () => this.wallMs;
  steady = () => this.steadyMs;

  pass(ms: number): void {
    this.wallMs += ms;
    this.steadyMs += ms;
  }
}

it('sees jumps of the clock, forwards and backwards, once each', () => {
  const clocks = new TestClocks();
  const watch = new ClockWatch(clocks);
  for (const jump of [9000 * HOUR_MS, -2 * HOUR_MS, -40 * 365 * 24 * HOUR_MS]) {
    clocks.pass(HOUR_MS);
    expect(watch.look()).toBe(0);
    clocks.wallMs += jump;
    clocks.pass(HOUR_MS);
    expect(watch.look()).toBe(jump);
    clocks.pass(3 * HOUR_MS);
    expect(watch.look()).toBe(0);
  }
});

it('takes small corrections for what they are', () => {
  const clocks = new TestClocks();
  const watch = new ClockWatch(clocks);
  clocks.pass(HOUR_MS);
  clocks.wallMs += 2000;
  expect(watch.look()).toBe(0);
});
