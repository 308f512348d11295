import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NameTable } from '../../src/watch/name-table.js';

type Step = { add: string[] } | { remove: number[] } | { circle: number };

const anyName = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '😀', '.'), minLength: 1, maxLength: 4 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ add: fc.array(anyName) }),
  fc.record({ remove: fc.array(fc.nat(30)) }),
  fc.record({ circle: fc.nat(20) }),
);

const allOf = (table: NameTable) =>
  [...table.places()].map((place) => [table.nameAt(place), table.numberAt(place), table.numberAt(place, 1)]);

test('holds names with their numbers, in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
      const table = new NameTable(2);
      const model = new Map<string, number[]>();
      const known = new Set<string>();
      for (const [i, step] of steps.entries()) {
        if ('add' in step) {
          for (const name of step.add) {
            known.add(name);
            if (model.has(name)) continue;
            table.add(name, [i, -i]);
            model.set(name, [i, -i]);
          }
        } else if ('remove' in step) {
          for (const which of step.remove) {
            const name = [...model.keys()][which];
            if (name === undefined) continue;
            table.remove(table.placeOf(name)!);
            model.delete(name);
          }
        } else {
          const names = table.nextInCircle(step.circle);
          expect(new Set(names).size).toBe(Math.min(step.circle, model.size));
          expect(names.every((name) => model.has(name))).toBe(true);
        }
        expect(table.size).toBe(model.size);
        expect(allOf(table)).toEqual([...model].map(([name, numbers]) => [name, ...numbers]));
        for (const name of known) expect(table.placeOf(name) !== undefined).toBe(model.has(name));
      }
    }),
  );
});

test('a circle comes by every name, though some go and others are added', () => {
  const table = new NameTable(1);
  const add = (from: number, to: number) => {
    for (let n = from; n < to; n++) table.add(`name ${n}`, [n]);
  };
  add(0, 1000);
  const seen = new Set(table.nextInCircle(600));
  expect(seen.size).toBe(600);
  for (let n = 0; n < 500; n++) table.remove(table.placeOf(`name ${n}`)!);
  // More than there is room for: the others move to new places.
  add(1000, 3000);
  for (const name of table.nextInCircle(2400)) seen.add(name);
  expect(seen.size).toBe(3000);
});
