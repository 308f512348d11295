import fc from 'fast-check';
import Database from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';
import { type FileQuery, FileSearch, SORT_COLUMNS } from '../../src/ledger/file-search.js';
import { type FileRecord, type FileState, Ledger, type NewFileRecord } from '../../src/ledger/ledger.js';
import { tempDir } from '../helpers/temp-dir.js';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const STATES: FileState[] = ['converted', 'loaded', 'failed', 'load_failed', 'duplicate'];
const NAMES = [
  'scores.csv',
  'Scores_2.CSV',
  '100%.csv',
  'a_b.csv',
  'a\\b.csv',
  'ÄÖ.csv',
  'x\ny"\'.csv',
  '漢字.csv',
];

function ledgerWith(records: readonly NewFileRecord[]): {
  ledger: Ledger;
  search: FileSearch;
  file: string;
} {
  const file = `${tempDir()}/ledger.db`;
  const ledger = Ledger.open(file, (reason) => {
    throw new Error(`begun anew: ${reason}`);
  });
  ledger.inTransaction(() => {
    for (const record of records) ledger.add(record);
  });
  const search = new FileSearch(file);
  open.push(search, ledger);
  return { ledger, search, file };
}

function time(minutes: number): string {
  return new Date(Date.UTC(2026, 10, 22, 6) + minutes * 60_000).toISOString();
}

const someRecord: fc.Arbitrary<NewFileRecord> = fc
  .record({
    name: fc.constantFrom(...NAMES),
    dataset: fc.constantFrom('people', 'orders', null),
    state: fc.constantFrom(...STATES),
    code: fc.constantFrom('wrong_type', 'ragged_row', null),
    rows: fc.nat({ max: 3 }),
    judged: fc.nat({ max: 20 }),
  })
  .map(({ rows, judged, ...some }) => ({
    ...some,
    sha256: 'a'.repeat(64),
    message: null,
    bytesIn: rows * 100,
    bytesOut: rows * 10,
    rowsIn: rows,
    rowsOut: rows,
    droppedMissing: 0,
    droppedDuplicate: 0,
    setAside: 0,
    parquet: null,
    original: null,
    convertMs: some.state === 'failed' ? null : rows + 0.5,
    arrivedAt: time(judged),
    judgedAt: time(judged),
    loadedAt: some.state === 'loaded' ? time(judged + 1) : null,
  }));

const someQuery: fc.Arbitrary<FileQuery> = fc.record(
  {
    name: fc.constantFrom('', 's', 'SCORES', '%', '_', '\\', 'ä', 'Ä', '\n', '字.csv', 'nothing'),
    states: fc.subarray(STATES),
    dataset: fc.constantFrom('people', 'orders'),
    code: fc.constantFrom('wrong_type', 'ragged_row'),
    from: fc.nat({ max: 20 }).map(time),
    before: fc.nat({ max: 20 }).map(time),
    sort: fc.constantFrom(...SORT_COLUMNS),
    descending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 10 }),
    offset: fc.nat({ max: 15 }),
  },
  { requiredKeys: ['sort', 'descending', 'limit', 'offset'] },
);

/** What the search is to find, found in the simplest way. */
function expected(all: readonly FileRecord[], query: FileQuery): { files: FileRecord[]; total: number } {
  const { name = '', states = STATES, dataset, code, from = '', before = '~' } = query;
  const fold = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const found = all.filter(
    (file) =>
      fold(file.name).includes(fold(name)) &&
      states.includes(file.state) &&
      (dataset === undefined || file.dataset === dataset) &&
      (code === undefined || file.code === code) &&
      file.judgedAt >= from &&
      file.judgedAt < before,
  );
  const key = query.sort.replace(/_./g, ([, letter]) => letter.toUpperCase()) as keyof FileRecord;
  const sign = query.descending ? -1 : 1;
  found.sort((a, b) => {
    const [x, y] = [a[key], b[key]];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || sign * (a.id - b.id);
    return sign * (compare(x, y) || a.id - b.id);
  });
  return { files: found.slice(query.offset, query.offset + query.limit), total: found.length };
}

/** As SQLite compares: texts by their bytes. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  return a - Number(b);
}

describe('a search', () => {
  it('finds what filtering and sorting all records would', () => {
    fc.assert(
      fc.property(
        fc.array(someRecord, { maxLength: 25 }),
        fc.array(someQuery, { minLength: 10, maxLength: 10 }),
        (records, queries) => {
          const { ledger, search } = ledgerWith(records);
          const all = ledger.latest(100);
          for (const query of queries) expect(search.search(query)).toEqual(expected(all, query));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('takes no order but those of the list', () => {
    const { search } = ledgerWith([]);
    const sort = 'id; DROP TABLE files' as never;
    expect(() => search.search({ sort, descending: true, limit: 1, offset: 0 })).toThrow(RangeError);
  });

  it('sees what the daemon writes meanwhile', () => {
    const { ledger, search } = ledgerWith([]);
    const [record] = fc.sample(someRecord, 1);
    const before = ledger.changes;
    const id = ledger.add(record);
    expect(ledger.changes).toBeGreaterThan(before);
    expect(search.file(id)).toEqual({ id, ...record });
    expect(search.details(id)).toEqual({});
    ledger.describe([{ recordId: id, dialect: '{"a":1}', rejects: 'x.rejected.csv' }]);
    expect(search.details(id)).toEqual({ dialect: '{"a":1}', rejects: 'x.rejected.csv' });
  });
});

it('100,000 deliveries are found, sorted and counted page by page', () => {
  const { ledger, search, file } = ledgerWith(fc.sample(someRecord, 1));
  const db = new Database(file);
  db.exec(`
    WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO files (name, sha256, dataset, state, bytes_in, bytes_out, rows_in, rows_out, dropped_missing,
      dropped_duplicate, set_aside, convert_ms, arrived_at, judged_at)
    SELECT printf('f%06d.csv', 999999 - i), '', 'people', 'converted', i, 1, i, i, 0, 0, 0, 1.5,
      '2026-11-22T06:00:00.000Z', '2026-11-22T06:00:00.000Z' FROM n`);
  db.close();
  expect(ledger.latest(1)[0].id).toBe(100_000);
  const base = { sort: 'id', descending: true, limit: 50, offset: 0 } as const;
  expect(search.search(base)).toMatchObject({ total: 100_000, files: { length: 50, 0: { id: 100_000 } } });
  const last = search.search({ ...base, sort: 'bytes_in', descending: false, offset: 99_950 });
  expect(last.files.map(({ bytesIn }) => bytesIn).at(-1)).toBe(100_000);
  const named = search.search({ ...base, name: 'F9000', sort: 'name', descending: false });
  expect(named).toMatchObject({ total: 100, files: { 0: { name: 'f900000.csv' } } });
});

describe('the throughput', () => {
  it('counts files, failures, rows and bytes of each stretch of time', () => {
    const [record] = fc.sample(someRecord, 1);
    const made = { ...record, state: 'converted' as const, convertMs: 1, rowsOut: 5, bytesIn: 70 };
    const { search } = ledgerWith([
      { ...made, judgedAt: time(0) },
      { ...made, state: 'loaded', judgedAt: time(9) },
      { ...record, state: 'failed', convertMs: null, judgedAt: time(10) },
      { ...record, state: 'duplicate', judgedAt: time(11) },
      { ...made, judgedAt: time(30) },
    ]);
    const fromMs = Date.parse(time(0));
    expect(search.throughput({ fromMs, bucketMs: 600_000, count: 3 })).toEqual({
      files: [2, 0, 0],
      failed: [0, 1, 0],
      rows: [10, 0, 0],
      bytes: [140, 0, 0],
    });
  });
});
