import { describe, expect, test } from 'vitest';
import { SessionGate } from '../../../src/load/engines/session-gate.js';

describe('SessionGate', () => {
  test('lets in one at a time, in the order of asking', async () => {
    const gate = new SessionGate();
    const [a, b, c] = [{}, {}, {}];
    const entered: string[] = [];
    await gate.acquire(a);
    const waiting = [
      gate.acquire(b).then(() => entered.push('b')),
      gate.acquire(c).then(() => entered.push('c')),
    ];
    await Promise.resolve();
    expect([entered, gate.contended, gate.holds(a)]).toEqual([[], true, true]);
    gate.release(a);
    await waiting[0];
    expect([entered, gate.holds(b)]).toEqual([['b'], true]);
    gate.release(a);
    expect(gate.holds(b)).toBe(true);
    gate.release(b);
    await waiting[1];
    gate.release(c);
    expect([entered, gate.contended, gate.holds(c)]).toEqual([['b', 'c'], false, false]);
  });

  test('lets the holder in again at once, and tells of those who begin to wait', async () => {
    let told = 0;
    const gate = new SessionGate(() => told++);
    const [a, b] = [{}, {}];
    await gate.acquire(a);
    await gate.acquire(a);
    expect(told).toBe(0);
    const waiting = gate.acquire(b);
    expect(told).toBe(1);
    gate.release(a);
    await waiting;
  });
});
