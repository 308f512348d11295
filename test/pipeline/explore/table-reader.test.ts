import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/load/engine.js';
import { Memo } from '../../../src/pipeline/explore/memo.js';
import { TableReader } from '../../../src/pipeline/explore/table-reader.js';
import { TARGETS, type Target } from '../../load/support/targets.js';

const TABLES = {
  things: {
    name: 'things',
    columns: [{ name: 'size', type: { kind: 'integer' as const } }],
    key: [],
    mode: 'append' as const,
    indexes: [],
  },
};

describe('a table reader', () => {
  let target: Target;
  let engine: Engine;
  beforeAll(async () => {
    target = await TARGETS.embedded();
    engine = target.open();
  });
  afterAll(() => target.dispose());

  const open = () => new TableReader({ engine, tables: TABLES });
  const sizes = (reader: TableReader, mostRows: number) =>
    reader.answer('things', { question: 'sizes', mostRows, work: async (table) => table.firstRows });

  it('says what to do about a table that is not there yet, and about one that nobody declared', async () => {
    await expect(sizes(open(), 10)).rejects.toMatchObject({
      code: 'query_refused',
      message: expect.stringContaining('not there yet'),
    });
    const other = open().present('nothing');
    await expect(other).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('"nothing"'),
    });
    const without = new TableReader({ engine: undefined, tables: TABLES });
    await expect(without.states()).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('looks at the first rows only of a table that has more', async () => {
    await engine.execute('CREATE TABLE IF NOT EXISTS things (size integer)');
    await engine.execute('INSERT INTO things SELECT generate_series(1, 20)');
    expect(await sizes(open(), 20)).toBeUndefined();
    expect(await sizes(open(), 19)).toBe(19);
  });

  it('runs few statements at a time', async () => {
    let running = 0;
    let most = 0;
    const watched: Engine = Object.create(engine, {
      readOnly: {
        value: async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running--;
          return { columns: [], rows: [] };
        },
      },
    });
    const reader = new TableReader({ engine: watched, tables: TABLES });
    await Promise.all(Array.from({ length: 12 }, () => reader.read({ sql: 'SELECT 1', params: [] })));
    expect(most).toBe(3);
  });
});

describe('a memo', () => {
  it('works once for those who ask at the same time and later, and forgets failures and what was not used', async () => {
    const memo = new Memo<number>({ most: 2, maxAgeMs: 60_000 });
    let works = 0;
    const work = async () => ++works;
    expect(await Promise.all([memo.get('a', work), memo.get('a', work)])).toEqual([1, 1]);
    await memo.get('b', work);
    expect(await memo.get('a', work)).toBe(1);
    await memo.get('c', work);
    expect(await memo.get('a', work)).toBe(1);
    expect(await memo.get('b', work)).toBe(4);
    const failing = memo.get('d', async () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await memo.get('d', work)).toBe(5);
  });
});
