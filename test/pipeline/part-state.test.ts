import { describe, expect, it } from 'vitest';
import { PartState, PartsAborted } from '../../src/pipeline/part-state.js';

describe('the state of a divided file', () => {
  it('gives each part to one thread, and the turn to mark repeated rows in order', async () => {
    const first = new PartState();
    const second = new PartState(first.buffer);
    expect([first.take(), second.take(), first.take()]).toEqual([0, 1, 2]);
    const marked: number[] = [];
    const mark = async (state: PartState, part: number) => {
      await state.untilMarked(part);
      marked.push(part);
      state.marked();
    };
    await Promise.all([mark(second, 2), mark(first, 1), mark(second, 0)]);
    expect(marked).toEqual([0, 1, 2]);
  });

  it('lets a thread run ahead only so far', async () => {
    const state = new PartState();
    let isThrough = false;
    const waiting = state.untilMerged(2).then(() => {
      isThrough = true;
    });
    state.merged();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isThrough).toBe(false);
    state.merged();
    await waiting;
    await state.untilMerged(-3);
  });

  it('ends the waiting of all threads when one gives up', async () => {
    const state = new PartState();
    const waiting = [state.untilMarked(1), state.untilMerged(1)];
    new PartState(state.buffer).abort();
    for (const one of waiting) await expect(one).rejects.toThrow(PartsAborted);
    await expect(state.untilMarked(0)).rejects.toThrow(PartsAborted);
  });
});
