import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FileVersion, SettleBook } from '../../src/watch/settle.js';

const SETTLE_MS = 100;

function version(change: Partial<FileVersion> = {}): FileVersion {
  return { kind: 'file', size: 1, mtimeNs: 5n, ctimeNs: 5n, ino: 1n, birthtimeNs: 1n, dev: 1n, ...change };
}

/** A book that saw `a.csv` at 0 ms. */
function bookWithFile(): SettleBook {
  const book = new SettleBook({ settleMs: SETTLE_MS });
  book.observe({ name: 'a.csv', version: version(), nowMs: 0 });
  return book;
}

/** Lets the file of the book settle and gives it to the consumer. */
function offeredFile(book = bookWithFile()): SettleBook {
  const [file] = book.takeDue(SETTLE_MS).ripe;
  book.offer(file);
  return book;
}

function ripeAt(book: SettleBook, nowMs: number): string[] {
  return book.takeDue(nowMs).ripe.map(({ name }) => name);
}

test('files can be made to settle together, but for those that are ripe or were touched', () => {
  const book = new SettleBook({ settleMs: SETTLE_MS });
  book.observe({ name: 'old.csv', version: version(), nowMs: 0, backlog: true });
  for (const [i, name] of ['a.csv', 'b.csv', 'c.csv'].entries())
    book.observe({ name, version: version(), nowMs: i });
  book.touch('c.csv', 4);
  book.settleTogether(5);
  expect(ripeAt(book, 5)).toEqual(['old.csv']);
  expect(book.takeDue(14)).toMatchObject({ ripe: [], touched: ['c.csv'] });
  expect(ripeAt(book, 5 + SETTLE_MS - 1)).toEqual([]);
  expect(ripeAt(book, 5 + SETTLE_MS).sort()).toEqual(['a.csv', 'b.csv']);
});

describe('reading ahead', () => {
  const AHEAD_MS = 20;

  function aheadBook(): SettleBook {
    const book = new SettleBook({ settleMs: SETTLE_MS, aheadMs: AHEAD_MS });
    book.observe({ name: 'a.csv', version: version(), nowMs: 0 });
    return book;
  }

  /** Hands the file of the book ahead, and answers its ticket. */
  function handAhead(book: SettleBook, nowMs = AHEAD_MS): number | undefined {
    const { early } = book.takeDue(nowMs);
    return early.length === 0 ? undefined : book.handAhead(early[0], nowMs);
  }

  test('a file may be read ahead when it stood still for a while, and is ripe no sooner than ever', () => {
    const book = aheadBook();
    expect(book.nextDueMs()).toBe(AHEAD_MS);
    expect(handAhead(book)).toBe(1);
    expect(book.nextDueMs()).toBe(SETTLE_MS);
    const [file] = book.takeDue(SETTLE_MS).ripe;
    expect(book.isSettled(file, SETTLE_MS)).toBe(true);
    expect(file.ahead?.ticket).toBe(1);
    expect(book.takeLost()).toEqual([]);
  });

  test.each<[string, (book: SettleBook) => void]>([
    ['an event', (book) => book.touch('a.csv', 50)],
    [
      'a look that shows a change',
      (book) => book.observe({ name: 'a.csv', version: version({ size: 2 }), nowMs: 50 }),
    ],
    [
      'a look that shows another file',
      (book) => book.observe({ name: 'a.csv', version: version({ ino: 2n }), nowMs: 50 }),
    ],
    ['its end', (book) => book.miss('a.csv')],
    ['a writer', (book) => book.hold(book.get('a.csv')!, { pid: 1, nowMs: 50 })],
  ])('%s takes the ticket away, and that is told once', (_what, stir) => {
    const book = aheadBook();
    handAhead(book);
    stir(book);
    expect(book.get('a.csv')?.ahead?.ticket).toBeUndefined();
    expect(book.takeLost()).toEqual([1]);
    expect(book.takeLost()).toEqual([]);
  });

  test('a file that changes is not read ahead again, another one under its name is', () => {
    const book = aheadBook();
    handAhead(book);
    book.observe({ name: 'a.csv', version: version({ size: 2 }), nowMs: 30 });
    expect(book.nextDueMs()).toBe(30 + SETTLE_MS);
    book.observe({ name: 'a.csv', version: version({ ino: 2n }), nowMs: 40 });
    expect(book.nextDueMs()).toBe(40 + AHEAD_MS);
    expect(handAhead(book, 40 + AHEAD_MS)).toBe(2);
  });

  test('a file that was moved here may be read ahead at once, after a change like any other', () => {
    const book = new SettleBook({ settleMs: SETTLE_MS, aheadMs: AHEAD_MS });
    book.observe({ name: 'a.csv', version: version(), nowMs: 7, wasMoved: true });
    expect(book.nextDueMs()).toBe(7);
    expect(handAhead(book, 7)).toBe(1);
    expect(book.nextDueMs()).toBe(7 + SETTLE_MS);
    book.observe({ name: 'a.csv', version: version({ ino: 2n }), nowMs: 30, wasMoved: true });
    expect(book.nextDueMs()).toBe(30 + AHEAD_MS);
  });

  test('an event just before keeps a file from being read ahead', () => {
    const book = aheadBook();
    const [file] = book.takeDue(AHEAD_MS).early;
    book.touch('a.csv', AHEAD_MS);
    expect(book.handAhead(file, AHEAD_MS)).toBeUndefined();
  });

  test('none is read ahead where settling takes no longer', () => {
    const book = new SettleBook({ settleMs: AHEAD_MS, aheadMs: AHEAD_MS });
    book.observe({ name: 'a.csv', version: version(), nowMs: 0, wasMoved: true });
    expect(book.nextDueMs()).toBe(AHEAD_MS);
    expect(ripeAt(book, AHEAD_MS)).toEqual(['a.csv']);
  });
});

describe('settling', () => {
  test('a file is ripe when the settle time has passed since it was first seen, to the millisecond', () => {
    const book = bookWithFile();
    expect(book.nextDueMs()).toBe(SETTLE_MS);
    expect(ripeAt(book, SETTLE_MS - 1)).toEqual([]);
    expect(ripeAt(book, SETTLE_MS)).toEqual(['a.csv']);
  });

  test.each([{ size: 2 }, { mtimeNs: 6n }, { ino: 2n }, { birthtimeNs: 2n }, { kind: 'other' as const }])(
    'a change (%o) begins the wait again',
    (change) => {
      const book = bookWithFile();
      book.observe({ name: 'a.csv', version: version(change), nowMs: 60 });
      expect(ripeAt(book, 159)).toEqual([]);
      expect(ripeAt(book, 160)).toEqual(['a.csv']);
    },
  );

  test('a change of ctime alone does not', () => {
    const book = bookWithFile();
    book.observe({ name: 'a.csv', version: version({ ctimeNs: 9n }), nowMs: 60 });
    expect(ripeAt(book, SETTLE_MS)).toEqual(['a.csv']);
  });

  test('a file of the backlog is ripe at once', () => {
    const book = new SettleBook({ settleMs: SETTLE_MS });
    book.observe({ name: 'a.csv', version: version(), nowMs: 7, backlog: true });
    expect(ripeAt(book, 7)).toEqual(['a.csv']);
  });

  test('an event asks for a look soon, so that the wait begins right after the change', () => {
    const book = bookWithFile();
    expect(book.touch('a.csv', 50)).toBe(true);
    expect(book.nextDueMs()).toBe(60);
    expect(book.takeDue(60)).toEqual({ ripe: [], early: [], touched: ['a.csv'] });
    book.beginLook('a.csv');
    book.observe({ name: 'a.csv', version: version({ size: 2 }), nowMs: 61 });
    expect(book.nextDueMs()).toBe(161);
  });

  test('an event during the last look keeps the file from being settled', () => {
    const book = bookWithFile();
    const [file] = book.takeDue(SETTLE_MS).ripe;
    book.beginLook('a.csv');
    book.touch('a.csv', SETTLE_MS);
    book.observe({ name: 'a.csv', version: version(), nowMs: SETTLE_MS });
    expect(book.isSettled(file, SETTLE_MS)).toBe(false);
    expect(book.nextDueMs()).toBeLessThanOrEqual(SETTLE_MS + 10);
  });

  test('a file that comes back while a look misses it is looked at again', () => {
    const book = bookWithFile();
    book.beginLook('a.csv');
    book.touch('a.csv', 20);
    book.miss('a.csv');
    expect(book.takeDue(30).touched).toEqual(['a.csv']);
  });

  test('a file that is held open is checked again after growing pauses of at most a second', () => {
    const book = bookWithFile();
    const pauses: number[] = [];
    let nowMs = SETTLE_MS;
    for (let round = 0; round < 6; round++) {
      const [file] = book.takeDue(nowMs).ripe;
      book.hold(file, { pid: 1, nowMs });
      pauses.push(book.nextDueMs() - nowMs);
      nowMs = book.nextDueMs();
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000]);
  });
});

describe('the consumer', () => {
  test('a file in hand is offered no second time, whatever happens to it', () => {
    const book = offeredFile();
    expect(book.touch('a.csv', 200)).toBe(true);
    book.observe({ name: 'a.csv', version: version({ size: 9 }), nowMs: 200 });
    book.miss('a.csv');
    expect(book.get('a.csv')?.state).toBe('offered');
    expect(book.nextDueMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test('a file that is done rests until it changes; a new link or other rights are no change', () => {
    const book = offeredFile();
    book.release('a.csv');
    book.observe({ name: 'a.csv', version: version({ ctimeNs: 6n }), nowMs: 500 });
    expect(book.nextDueMs()).toBe(Number.POSITIVE_INFINITY);
    book.observe({ name: 'a.csv', version: version({ mtimeNs: 6n }), nowMs: 600 });
    expect(ripeAt(book, 700)).toEqual(['a.csv']);
  });

  test('the same content sent again after a deletion is a new file, even in the same inode', () => {
    const book = offeredFile();
    book.release('a.csv');
    book.observe({ name: 'a.csv', version: version({ birthtimeNs: 7n }), nowMs: 600 });
    expect(ripeAt(book, 700)).toEqual(['a.csv']);
  });

  test('a file to be tried later comes back at that time', () => {
    const book = offeredFile();
    book.release('a.csv', 5000);
    book.observe({ name: 'a.csv', version: version(), nowMs: 500 });
    expect(ripeAt(book, 4999)).toEqual([]);
    expect(ripeAt(book, 5000)).toEqual(['a.csv']);
  });

  test('or once it has settled after a change', () => {
    const book = offeredFile();
    book.release('a.csv', 5000);
    book.observe({ name: 'a.csv', version: version({ size: 9 }), nowMs: 500 });
    expect(ripeAt(book, 600)).toEqual(['a.csv']);
    expect(book.nextDueMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test('or when its rights have changed', () => {
    const book = offeredFile();
    book.release('a.csv', 5000);
    book.observe({ name: 'a.csv', version: version({ ctimeNs: 6n }), nowMs: 500 });
    expect(ripeAt(book, 600)).toEqual(['a.csv']);
  });

  test('releasing what is not in hand changes nothing', () => {
    const book = bookWithFile();
    expect(book.release('a.csv')).toBe(false);
    expect(book.release('unknown.csv')).toBe(false);
    expect(book.counts()).toEqual({ settling: 1, unmarked: 0, offered: 0, waiting: 0, done: 0 });
  });

  test('resting files are handed out in turn', () => {
    const book = new SettleBook({ settleMs: 0 });
    for (const name of ['a', 'b', 'c']) book.observe({ name, version: version(), nowMs: 0 });
    for (const file of book.takeDue(0).ripe) book.offer(file);
    for (const name of ['a', 'b', 'c']) book.release(name);
    expect([book.nextResting(2), book.nextResting(2), book.nextResting(9)]).toEqual([
      ['a', 'b'],
      ['c', 'a'],
      ['b', 'c', 'a'],
    ]);
  });
});

test('whatever the writer and the events do, a file is offered only after standing still, and in the end it is', () => {
  const act = fc.record({
    waitMs: fc.integer({ min: 1, max: 150 }),
    does: fc.constantFrom('write', 'write and tell', 'tell', 'nothing'),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
      const book = new SettleBook({ settleMs: SETTLE_MS });
      let size = 0;
      let writtenAtMs = 0;
      let nowMs = 0;
      const look = () => {
        book.beginLook('a');
        book.observe({ name: 'a', version: version({ size }), nowMs });
      };
      /** What the watcher does when its timer fires. */
      const runDue = () => {
        const { ripe, touched } = book.takeDue(nowMs);
        if (ripe.length + touched.length > 0) look();
        for (const file of ripe) {
          if (!book.isSettled(file, nowMs)) continue;
          expect(nowMs - writtenAtMs).toBeGreaterThanOrEqual(SETTLE_MS);
          expect(file.version.size).toBe(size);
          book.offer(file);
        }
      };
      const advanceTo = (endMs: number) => {
        for (; book.nextDueMs() <= endMs; runDue()) nowMs = Math.max(nowMs, book.nextDueMs());
        nowMs = endMs;
      };

      look();
      for (const { waitMs, does } of acts) {
        advanceTo(nowMs + waitMs);
        if (book.get('a')?.state === 'offered') return;
        if (does.startsWith('write')) {
          size++;
          writtenAtMs = nowMs;
        }
        if (does.endsWith('tell')) book.touch('a', nowMs);
      }
      advanceTo(nowMs + 2 * SETTLE_MS);
      expect(book.get('a')?.state).toBe('offered');
    }),
  );
});
