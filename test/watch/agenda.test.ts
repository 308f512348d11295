import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Agenda } from '../../src/watch/agenda.js';

const step = fc.oneof(
  fc.record({ op: fc.constant('set' as const), key: fc.constantFrom(...'abcdefg'), atMs: fc.nat(20) }),
  fc.record({ op: fc.constant('delete' as const), key: fc.constantFrom(...'abcdefg') }),
  fc.record({ op: fc.constant('take' as const), nowMs: fc.nat(20) }),
);

test('gives the same answers as a plain map, whatever is set, moved, cancelled and taken', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const agenda = new Agenda();
      const model = new Map<string, number>();
      for (const step of steps) {
        if (step.op === 'set') {
          agenda.set(step.key, step.atMs);
          model.set(step.key, step.atMs);
        } else if (step.op === 'delete') {
          agenda.delete(step.key);
          model.delete(step.key);
        } else {
          const taken = agenda.takeDue(step.nowMs);
          const due = [...model].filter(([, atMs]) => atMs <= step.nowMs);
          expect([...taken].sort()).toEqual(due.map(([key]) => key).sort());
          const times = taken.map((key) => model.get(key)!);
          expect(times).toEqual([...times].sort((a, b) => a - b));
          for (const key of taken) model.delete(key);
        }
        expect(agenda.nextAtMs()).toBe(Math.min(Number.POSITIVE_INFINITY, ...model.values()));
        for (const key of 'abcdefg') expect(agenda.get(key)).toBe(model.get(key));
      }
    }),
  );
});
