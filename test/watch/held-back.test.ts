import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeldBack, type HeldFile } from '../../src/watch/held-back.js';

const file = (name: string): HeldFile => ({ name, size: name.length, arrivedAtMs: 1000 + name.length });

type Step = { push: string[] } | { take: number } | { keepEvery: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    push: fc.array(
      fc.string({ unit: fc.constantFrom('a', 'é', '漢', '😀', '.'), minLength: 1, maxLength: 4 }),
    ),
  }),
  fc.record({ take: fc.nat(20) }),
  fc.record({ keepEvery: fc.integer({ min: 1, max: 3 }) }),
);

test('holds what was put in and not taken out or let go, in order, each name once', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
      const held = new HeldBack();
      let model: string[] = [];
      const known = new Set<string>();
      for (const step of steps) {
        if ('push' in step) {
          for (const name of step.push) {
            known.add(name);
            expect(held.has(name)).toBe(model.includes(name));
            if (model.includes(name)) continue;
            held.push(file(name));
            model.push(name);
          }
        } else if ('take' in step) {
          expect(held.take(step.take)).toEqual(model.splice(0, step.take).map(file));
        } else {
          model = model.filter((_, i) => i % step.keepEvery === 0);
          held.keepOnly(new Set(model));
        }
        expect(held.size).toBe(model.length);
        expect([...held]).toEqual(model.map(file));
        for (const name of known) expect(held.has(name)).toBe(model.includes(name));
      }
    }),
  );
});

test('100,000 names are found again and taken in order', () => {
  const held = new HeldBack();
  const name = (n: number) => `students-${String(n).padStart(6, '0')}.csv`;
  for (let n = 0; n < 100_000; n++) held.push(file(name(n)));
  expect(held.has(name(99_999))).toBe(true);
  expect(held.has(name(100_000))).toBe(false);
  for (let n = 0; n < 100_000; n += 1000) {
    const taken = held.take(1000);
    expect(taken[0].name).toBe(name(n));
    expect(taken).toHaveLength(1000);
  }
  expect(held.size).toBe(0);
  expect(held.has(name(5))).toBe(false);
  held.push(file(name(5)));
  expect([...held]).toEqual([file(name(5))]);
});
