import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DropgateError } from '../../src/base/errors.js';
import type { SqlType } from '../../src/base/sql-type.js';
import type { Engine, SqlRow } from '../../src/load/engine.js';
import { ensureLedgerTable, loadedKeys, loadKey } from '../../src/load/ledger-table.js';
import { type FileToLoad, type LoadOutcome, loadFiles, Withdrawn } from '../../src/load/load-files.js';
import { ensureTable } from '../../src/load/table.js';
import type { TargetTable } from '../../src/load/target-table.js';
import { copyOf, copyStream, type TextRow } from './support/copy.js';
import { TARGETS, type Target } from './support/targets.js';

interface TestFile extends FileToLoad {
  data: TextRow[];
  /** Thrown after the data. */
  failure?: Error;
}

let serial = 0;

/** A file that no other test loads. */
function fileOf(data: TextRow[], more: Partial<TestFile> = {}): TestFile {
  const file = more.file ?? `file-${++serial}.parquet`;
  const sha256 = String(++serial).padStart(64, '0');
  return {
    file,
    sha256,
    dataset: 'people',
    rows: data.length,
    loadKey: loadKey({ identity: 'name_and_content', dataset: 'people', file, sha256 }),
    data,
    ...more,
  };
}

async function* rowsOf(files: TestFile[]): AsyncGenerator<Uint8Array> {
  for (const { data, failure } of files) {
    if (data.length > 0) yield* copyStream(data);
    if (failure) throw failure;
  }
}

const id: SqlType = { kind: 'integer' };
const word: SqlType = { kind: 'varchar', length: 20 };

const PEOPLE: TargetTable = {
  name: 'people',
  columns: [
    { name: 'id', type: id },
    { name: 'word', type: word },
  ],
  key: [],
  mode: 'append',
  indexes: [],
};

describe.each(Object.keys(TARGETS))('loadFiles: %s', (name) => {
  let target: Target;
  let engine: Engine;
  beforeAll(async () => {
    target = await TARGETS[name]();
    engine = target.open();
  });
  afterAll(() => target?.dispose());
  beforeEach(async () => {
    await engine.execute('DROP TABLE IF EXISTS people');
    await engine.execute('DROP TABLE IF EXISTS dropgate_loads');
    await ensureLedgerTable(engine);
  });

  let areNew = false;
  const load = (files: TestFile[], table: TargetTable = PEOPLE, on: Engine = engine) =>
    loadFiles({ engine: on, table, files, copyTextOf: rowsOf, areNew });
  const people = async () =>
    (await engine.query('SELECT id, word FROM people ORDER BY id, word')).map((row) => [row.id, row.word]);
  const ledger = (): Promise<SqlRow[]> => {
    const quote = engine.dialect === 'postgres' ? '"' : '`';
    return engine.query(
      `SELECT dataset, file, sha256, ${quote}rows${quote} AS n, loaded_at FROM dropgate_loads ORDER BY file`,
    );
  };
  const statuses = (outcomes: LoadOutcome[]) => outcomes.map(({ status }) => status);

  describe.each([
    ['claimed before their rows are sent', false],
    ['claimed behind their rows', true],
  ])('append, files %s', (_, isNew) => {
    beforeEach(async () => {
      areNew = isNew;
      await ensureTable(engine, PEOPLE);
    });
    afterEach(() => {
      areNew = false;
    });

    /** Loads the first file, which the others join one by one, behind what `last` does. */
    async function loadJoined(files: TestFile[], last: () => Promise<void> = async () => undefined) {
      const group = files.slice(0, 1);
      const more = async () => {
        const next = files.slice(group.length, group.length + 1);
        group.push(...next);
        if (next.length === 0) await last();
        return next;
      };
      return loadFiles({ engine, table: PEOPLE, files: group, copyTextOf: rowsOf, areNew, more });
    }

    test('takes files that join the first ones', async () => {
      const files = ['1', '2', '3'].map((key) => fileOf([[key, 'x']]));
      expect(statuses(await loadJoined(files))).toEqual(['loaded', 'loaded', 'loaded']);
      expect(await people()).toEqual([1, 2, 3].map((key) => [key, 'x']));
      expect(await ledger()).toHaveLength(3);
    });

    test('finds out which of the files that joined cannot be loaded', async () => {
      const files = ['1', '2', 'three'].map((key) => fileOf([[key, 'x']]));
      expect(statuses(await loadJoined(files))).toEqual(['loaded', 'loaded', 'refused']);
      expect((await people()).map(([key]) => key)).toEqual([1, 2]);
      expect(await ledger()).toHaveLength(2);
    });

    test('loads nothing of files that are withdrawn, and works on', async () => {
      const files = ['1', '2'].map((key) => fileOf([[key, 'x']]));
      const withdraw = async () => {
        throw new Withdrawn();
      };
      await expect(loadJoined(files, withdraw)).rejects.toThrow(Withdrawn);
      expect(await people()).toEqual([]);
      expect(await ledger()).toEqual([]);
      expect(statuses(await loadJoined(files))).toEqual(['loaded', 'loaded']);
    });

    test('writes rows and ledger together', async () => {
      const file = fileOf([
        ['1', 'one'],
        ['2', null],
      ]);
      expect(await load([file])).toEqual([{ status: 'loaded', rows: 2 }]);
      expect(await people()).toEqual([
        [1, 'one'],
        [2, null],
      ]);
      const [{ loaded_at: loadedAt, ...entry }] = await ledger();
      expect(entry).toEqual({ dataset: 'people', file: file.file, sha256: file.sha256, n: 2 });
      const zoneless = String(loadedAt).replace(/\+00$/, '').replace(' ', 'T');
      expect(Math.abs(Date.parse(`${zoneless}Z`) - Date.now())).toBeLessThan(600_000);
    });

    test('loads a file without rows', async () => {
      expect(await load([fileOf([])])).toEqual([{ status: 'loaded', rows: 0 }]);
      expect(await ledger()).toHaveLength(1);
    });

    test('loads the same file once, however often it comes', async () => {
      const file = fileOf([['1', 'one']]);
      const again = { ...file };
      expect(statuses(await load([file, again]))).toEqual(['loaded', 'already_loaded']);
      expect(statuses(await load([again]))).toEqual(['already_loaded']);
      expect(await people()).toEqual([[1, 'one']]);
    });

    test('loads the same file once when two engines load it at the same time', async () => {
      const files = Array.from({ length: 8 }, (_, index) => fileOf([[String(index), 'x']]));
      const outcomes = await Promise.all([
        load(files, PEOPLE, target.open()),
        load(files, PEOPLE, target.open()),
      ]);
      for (const index of files.keys()) {
        expect(outcomes.map((one) => one[index].status).sort()).toEqual(['already_loaded', 'loaded']);
      }
      expect(await people()).toEqual(files.map((_, index) => [index, 'x']));
    });

    test('takes names up to 255 bytes, in any script', async () => {
      const long = fileOf([['1', 'a']], { file: 'é'.repeat(127) });
      const fish = fileOf([['2', 'b']], { file: '🐟 fish.parquet' });
      expect(statuses(await load([long, fish]))).toEqual(['loaded', 'loaded']);
      expect((await ledger()).map(({ file }) => file).sort()).toEqual([long.file, fish.file].sort());
    });

    test('knows which keys have been loaded', async () => {
      const [loaded, other] = [fileOf([]), fileOf([])];
      await load([loaded]);
      const keys = await loadedKeys(engine, engine.dialect, [loaded.loadKey, other.loadKey]);
      expect([...keys]).toEqual([loaded.loadKey]);
    });

    test('refuses only the file that cannot be loaded', async () => {
      const good = fileOf([['1', 'one']]);
      const bad = fileOf([
        ['2', 'two'],
        ['not a number', 'x'],
      ]);
      const better = fileOf([['3', 'three']]);
      const outcomes = await load([good, bad, better]);
      expect(statuses(outcomes)).toEqual(['loaded', 'refused', 'loaded']);
      expect(outcomes[1].error).toBeInstanceOf(DropgateError);
      expect(outcomes[1].error?.code).toBe('load_refused');
      expect(outcomes[1].error?.message).toMatch(/not a number/);
      expect(await people()).toEqual([
        [1, 'one'],
        [3, 'three'],
      ]);
      expect(await ledger()).toHaveLength(2);
    });

    test('a refused file can be loaded later, when the table has been mended', async () => {
      const file = fileOf([['1', 'x'.repeat(30)]]);
      expect(statuses(await load([file]))).toEqual(['refused']);
      await engine.execute(
        engine.dialect === 'postgres'
          ? 'ALTER TABLE people ALTER COLUMN word TYPE varchar(40)'
          : 'ALTER TABLE people MODIFY word varchar(40)',
      );
      expect(statuses(await load([file]))).toEqual(['loaded']);
    });

    test.each([
      ['a text that is too long', ['1', 'x'.repeat(21)], /too long|truncated/],
      ['a number out of range', ['2147483648', 'x'], /out of range/i],
      ['a text for a number', ['one', 'x'], /"one"|'one'/],
      ['bytes that are no UTF-8', ['1', 'BAD'], /UTF-?8|incorrect string value/i],
    ])('refuses %s, and changes nothing', async (_, row, message) => {
      const file = fileOf([['1', 'fine'], row]);
      const outcomes = await loadFiles({
        engine,
        table: PEOPLE,
        files: [file],
        copyTextOf: async function* () {
          const text = copyOf(file.data);
          const at = text.indexOf('BAD');
          if (at >= 0) text[at] = 0xff;
          yield text;
        },
      });
      expect(statuses(outcomes)).toEqual(['refused']);
      expect(outcomes[0].error).toMatchObject({
        code: 'load_refused',
        message: expect.stringMatching(message),
      });
      expect(await people()).toEqual([]);
      expect(await ledger()).toEqual([]);
    });

    test('finds the two of many that cannot be loaded, and keeps the order of the rest', async () => {
      const files = Array.from({ length: 9 }, (_, i) =>
        fileOf([[i === 2 || i === 7 ? 'x' : String(i), 'row']]),
      );
      const expected = files.map((_, i) => (i === 2 || i === 7 ? 'refused' : 'loaded'));
      expect(statuses(await load(files))).toEqual(expected);
      expect((await people()).map(([number]) => number)).toEqual([0, 1, 3, 4, 5, 6, 8]);
      expect(await ledger()).toHaveLength(7);
    });

    test('takes what is new of several files, also when one stands twice among them', async () => {
      const [old, fresh, other] = [['1'], ['2'], ['3']].map(([key]) => fileOf([[key, 'x']]));
      await load([old]);
      const outcomes = await load([fresh, old, { ...fresh }, other]);
      expect(statuses(outcomes)).toEqual(['loaded', 'already_loaded', 'already_loaded', 'loaded']);
      expect((await people()).map(([number]) => number)).toEqual([1, 2, 3]);
    });

    test('passes on what the file itself has to say', async () => {
      const failure = new DropgateError('not_parquet', 'row group 2 is damaged');
      const outcomes = await load([fileOf([['1', 'a']], { failure }), fileOf([['2', 'b']])]);
      expect(statuses(outcomes)).toEqual(['refused', 'loaded']);
      expect(outcomes[0].error).toBe(failure);
      expect(await people()).toEqual([[2, 'b']]);
    });

    test('rejects as a whole when the trouble can pass, and loads everything the next time', async () => {
      const files = [fileOf([['1', 'a']]), fileOf([['2', 'b']])];
      const trouble = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      const failing = { ...files[1], failure: trouble };
      await expect(load([files[0], failing])).rejects.toBe(trouble);
      expect(await people()).toEqual([]);
      expect(statuses(await load(files))).toEqual(['loaded', 'loaded']);
    });

    test('refuses a file of which the server takes fewer rows than it has', async () => {
      const file = fileOf([['1', 'a']], { rows: 2 });
      const [{ status, error }] = await load([file]);
      expect(status).toBe('refused');
      expect(error?.message).toMatch(/took 1 of the 2 rows/);
      expect(await people()).toEqual([]);
    });

    test('refuses duplicates of a key', async () => {
      await engine.execute('DROP TABLE people');
      const keyed: TargetTable = { ...PEOPLE, key: ['id'] };
      await ensureTable(engine, keyed);
      const twice = fileOf([
        ['1', 'a'],
        ['1', 'b'],
      ]);
      const [{ status, error }] = await load([twice], keyed);
      expect(status).toBe('refused');
      expect(error?.message).toMatch(/duplicate/i);
      expect(await people()).toEqual([]);
    });
  });

  describe('upsert', () => {
    const upsert: TargetTable = { ...PEOPLE, key: ['id'], mode: 'upsert' };
    beforeEach(() => ensureTable(engine, upsert));

    test('inserts new keys, updates known ones, and lets the last row of a file win', async () => {
      await load(
        [
          fileOf([
            ['1', 'old'],
            ['2', 'stays'],
          ]),
        ],
        upsert,
      );
      const rows: TextRow[] = [
        ['1', 'newer'],
        ['3', 'first'],
        ['1', 'newest'],
        ['3', 'last'],
        ['4', null],
      ];
      expect(await load([fileOf(rows)], upsert)).toEqual([{ status: 'loaded', rows: 5 }]);
      expect(await people()).toEqual([
        [1, 'newest'],
        [2, 'stays'],
        [3, 'last'],
        [4, null],
      ]);
    });

    test('takes several files in one transaction, in their order', async () => {
      const files = ['a', 'b', 'c'].map((value) => fileOf([['1', value]]));
      expect(statuses(await load(files, upsert))).toEqual(['loaded', 'loaded', 'loaded']);
      expect(await people()).toEqual([[1, 'c']]);
    });

    test('refuses a row without its key, and works on', async () => {
      const files = [fileOf([[null, 'x']]), fileOf([['5', 'y']])];
      expect(statuses(await load(files, upsert))).toEqual(['refused', 'loaded']);
      expect(await people()).toEqual([[5, 'y']]);
    });

    test('leaves columns alone that the file does not have', async () => {
      await engine.execute('ALTER TABLE people ADD COLUMN note varchar(10)');
      await load([fileOf([['1', 'a']])], upsert);
      await engine.execute(`UPDATE people SET note = 'kept'`);
      await load([fileOf([['1', 'b']])], upsert);
      expect(await engine.query('SELECT word, note FROM people')).toEqual([{ word: 'b', note: 'kept' }]);
    });

    test('works when every column is part of the key', async () => {
      await engine.execute('DROP TABLE people');
      const all: TargetTable = { ...upsert, key: ['id', 'word'] };
      await ensureTable(engine, all);
      const rows: TextRow[] = [
        ['1', 'a'],
        ['1', 'a'],
        ['1', 'A'],
      ];
      expect(statuses(await load([fileOf(rows)], all))).toEqual(['loaded']);
      expect(await people()).toHaveLength(2);
    });
  });

  describe('replace', () => {
    const replace: TargetTable = { ...PEOPLE, mode: 'replace' };
    beforeEach(() => ensureTable(engine, replace));

    test('leaves the rows of the last file only', async () => {
      await load([fileOf([['1', 'a']])], replace);
      await load([fileOf([['2', 'b']]), fileOf([['3', 'c']])], replace);
      expect(await people()).toEqual([[3, 'c']]);
    });

    test('keeps the old rows when the new ones are refused', async () => {
      await load([fileOf([['1', 'a']])], replace);
      expect(statuses(await load([fileOf([['2', 'x'.repeat(21)]])], replace))).toEqual(['refused']);
      expect(await people()).toEqual([[1, 'a']]);
    });
  });
});
