import fs from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.js';
import { tempDir } from '../helpers/temp-dir.js';
import { record } from './record.js';

const open: Ledger[] = [];
afterEach(closeAll);

function closeAll(): void {
  for (const ledger of open.splice(0)) ledger.close();
}

/** Opens a ledger; a test that expects it to be begun anew says so. */
function openLedger(file: string, onRebuilt: (reason: string) => void = unexpected): Ledger {
  const ledger = Ledger.open(file, onRebuilt);
  open.push(ledger);
  return ledger;
}

function unexpected(reason: string): never {
  throw new Error(`begun anew: ${reason}`);
}

function newFile(): string {
  return path.join(tempDir(), 'state', 'ledger.db');
}

describe('a delivery', () => {
  it('is kept as it was written, across a restart', () => {
    const file = newFile();
    const strange = record({
      name: `a "b" 'c'\n漢字 🎓.csv`,
      message: 'x\n\ty',
      bytesIn: 2 ** 52,
      dataset: null,
    });
    const ledger = openLedger(file);
    const id = ledger.add(strange);
    expect(ledger.latest(1)).toEqual([{ id, loadedAt: null, ...strange }]);
    closeAll();
    expect(openLedger(file).latest(1)).toEqual([{ id, loadedAt: null, ...strange }]);
  });

  it('is the same whether it is written alone or with others', () => {
    const ledger = openLedger(newFile());
    ledger.add(record());
    const records = [
      record({ name: `a "b" 'c'\n漢字 🎓\\.csv`, bytesIn: 2 ** 52, dataset: null, convertMs: 2 }),
      record({ convertMs: 0.1 + 0.2, original: null, parquet: null }),
      record({ loadedAt: '2026-11-22T07:00:00.000Z', state: 'loaded' }),
    ];
    for (const message of [null, 'x\n\ty']) {
      const some = records.map((one) => ({ ...one, message }));
      const ids = ledger.addAll(some);
      expect(ledger.latest(3).reverse()).toEqual(
        some.map((one, i) => ({ loadedAt: null, ...one, id: ids[i] })),
      );
    }
    expect(ledger.addAll([])).toEqual([]);
    expect(ledger.latest(10)).toHaveLength(7);
  });

  it('is kept with U+FFFD for half a character', () => {
    const ledger = openLedger(newFile());
    const half = { name: 'a\ud83d.csv', message: 'quotes \ude00 and the text \\ud83d' };
    ledger.addAll([record(half), record({ name: 'b.csv' })]);
    ledger.add(record(half));
    const kept = { name: 'a\ufffd.csv', message: 'quotes \ufffd and the text \\ud83d' };
    expect(ledger.latest(3)).toMatchObject([kept, { name: 'b.csv' }, kept]);
  });

  it('is listed newest first', () => {
    const ledger = openLedger(newFile());
    for (const name of ['a.csv', 'b.csv', 'c.csv']) ledger.add(record({ name }));
    expect(ledger.latest(2).map(({ name }) => name)).toEqual(['c.csv', 'b.csv']);
  });

  it('is undone with its transaction, and another can follow', () => {
    const ledger = openLedger(newFile());
    expect(() =>
      ledger.inTransaction(() => {
        ledger.add(record());
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(ledger.latest(10)).toEqual([]);
    expect(ledger.inTransaction(() => ledger.add(record()))).toEqual(expect.any(Number));
    expect(ledger.latest(10)).toHaveLength(1);
  });
});

describe('originals', () => {
  it('are on their way until they are put away, one by one or together', () => {
    const ledger = openLedger(newFile());
    expect(ledger.isAnyOnItsWay()).toBe(false);
    const ids = ['a', 'b', 'c'].map((name) => {
      const id = ledger.add(record({ name, original: null }));
      ledger.planMoves([{ recordId: id, target: `archived/${name}`, fingerprint: '1:2:3' }]);
      return id;
    });
    ledger.putAwayAsPlanned(ids.slice(0, 2));
    expect(ledger.isAnyOnItsWay()).toBe(true);
    expect(ledger.originals().map(({ file, isPutAway }) => [file.original, isPutAway])).toEqual([
      ['archived/a', true],
      ['archived/b', true],
      [null, false],
    ]);
    ledger.putAway(ids[2], null);
    expect(ledger.isAnyOnItsWay()).toBe(false);
  });

  it('are known by their deliveries from the time that they are put away until they are forgotten', () => {
    const ledger = openLedger(newFile());
    const judgedAt = '2026-11-22T10:00:00.000Z';
    const [first, second, third] = ['a', 'b', 'c'].map((name) => {
      const id = ledger.add(record({ name, original: null, judgedAt }));
      ledger.planMoves([{ recordId: id, target: `archived/${name}`, fingerprint: `${name}:2:3` }]);
      return id;
    });
    ledger.putAwayAsPlanned([first, second]);
    expect(ledger.putAwayLately()).toEqual([
      { id: first, judgedAt },
      { id: second, judgedAt },
    ]);
    expect(ledger.putAwayAmong([second, third])).toEqual([
      { id: second, target: 'archived/b', fingerprint: 'b:2:3' },
    ]);
    expect(ledger.original(second)).toMatchObject({ file: { id: second, name: 'b' }, isPutAway: true });
    ledger.forgetOriginals([second]);
    expect(ledger.putAwayAmong([second])).toEqual([]);
    expect(ledger.original(second)).toBeUndefined();
  });
});

describe('what was delivered before', () => {
  it('is found by content, or by content and name, if it was converted or loaded', () => {
    const ledger = openLedger(newFile());
    const sha256 = 'b'.repeat(64);
    ledger.add(record({ sha256, name: 'failed.csv', state: 'failed' }));
    ledger.add(record({ sha256, name: 'again.csv', state: 'duplicate' }));
    ledger.add(record({ sha256, name: 'parked.csv', state: 'load_failed' }));
    expect(ledger.findSeen({ sha256 })).toBeUndefined();
    const first = ledger.add(record({ sha256, name: 'one.csv' }));
    const second = ledger.add(record({ sha256, name: 'two.csv', state: 'loaded' }));
    expect(ledger.findSeen({ sha256 })?.id).toBe(second);
    expect(ledger.findSeen({ sha256, name: 'one.csv' })?.id).toBe(first);
    expect(ledger.findSeen({ sha256, name: 'three.csv' })).toBeUndefined();
    expect(ledger.findSeen({ sha256: 'c'.repeat(64), name: 'one.csv' })).toBeUndefined();
  });

  it('is picked out of a group of contents', () => {
    const ledger = openLedger(newFile());
    const [seen, failed, unknown] = ['1', '2', '3'].map((digit) => digit.repeat(64));
    ledger.add(record({ sha256: seen }));
    ledger.add(record({ sha256: seen, name: 'again.csv', state: 'loaded' }));
    ledger.add(record({ sha256: failed, state: 'failed' }));
    expect([...ledger.seenAmong([seen, failed, unknown])]).toEqual([seen]);
    expect(ledger.seenAmong([])).toEqual(new Set());
  });

  it('is not taken for another one that begins alike', () => {
    const ledger = openLedger(newFile());
    const [seen, other] = [`${'b'.repeat(63)}0`, `${'b'.repeat(63)}1`];
    const id = ledger.add(record({ sha256: seen }));
    ledger.add(record({ sha256: other, state: 'failed' }));
    expect(ledger.findSeen({ sha256: seen })?.id).toBe(id);
    expect(ledger.findSeen({ sha256: other })).toBeUndefined();
    expect([...ledger.seenAmong([other, seen])]).toEqual([seen]);
  });

  it('is the last delivery that made a Parquet file', () => {
    const ledger = openLedger(newFile());
    ledger.add(record({ name: 'old.csv' }));
    const id = ledger.add(record({ name: 'new.csv' }));
    const { sha256, convertMs } = record();
    expect([...ledger.parquetAmong(['scores.parquet', 'other.parquet'])]).toEqual([
      ['scores.parquet', { id, name: 'new.csv', sha256, convertMs }],
    ]);
  });
});

describe('loading', () => {
  it('moves a delivery on, to the table or to the failed folder, and forgets an old refusal', () => {
    const ledger = openLedger(newFile());
    const id = ledger.add(record());
    ledger.markLoadFailed(id, { code: 'table_differs', message: 'column age' });
    expect(ledger.latest(1)[0]).toMatchObject({
      state: 'load_failed',
      code: 'table_differs',
      message: 'column age',
    });
    ledger.markLoaded([id], '2026-11-22T07:00:00.000Z');
    expect(ledger.latest(1)[0]).toMatchObject({
      state: 'loaded',
      code: null,
      message: null,
      loadedAt: '2026-11-22T07:00:00.000Z',
    });
  });

  it('remembers which Parquet files are done with, in their last version', () => {
    const ledger = openLedger(newFile());
    ledger.settleParquet([
      { name: 'a.parquet', fingerprint: '1:2:3' },
      { name: 'b.parquet', fingerprint: '4:5:6' },
    ]);
    ledger.settleParquet([{ name: 'a.parquet', fingerprint: '7:8:9' }]);
    expect(Object.fromEntries(ledger.settledParquet())).toEqual({
      'a.parquet': '7:8:9',
      'b.parquet': '4:5:6',
    });
    expect([...ledger.settledAmong(['a.parquet', 'c.parquet'])]).toEqual([['a.parquet', '7:8:9']]);
  });
});

describe('the summary', () => {
  it('counts files by state, and rows in tables', () => {
    const ledger = openLedger(newFile());
    expect(ledger.summary()).toMatchObject({
      byState: { converted: 0, loaded: 0, failed: 0, load_failed: 0, duplicate: 0 },
      rowsLoaded: 0,
    });
    for (const code of ['wrong_type', 'empty_file', 'wrong_type'])
      ledger.add(record({ state: 'failed', code }));
    ledger.add(record({ state: 'duplicate' }));
    ledger.add(record());
    const loaded = [ledger.add(record({ rowsOut: 7 })), ledger.add(record({ rowsOut: 5 }))];
    ledger.markLoaded(loaded, '2026-11-22T07:00:00.000Z');
    ledger.markLoadFailed(ledger.add(record()), { code: 'load_refused', message: 'no' });
    expect(ledger.summary()).toMatchObject({
      byState: { converted: 1, loaded: 2, failed: 3, load_failed: 1, duplicate: 1 },
      rowsLoaded: 12,
    });
  });
});

describe('a file that cannot be used', () => {
  /** A ledger of many deliveries in one file, without its write-ahead log, open nowhere. */
  function filled(): string {
    const file = newFile();
    const ledger = openLedger(file);
    for (let i = 0; i < 300; i++) ledger.add(record({ name: `${i}.csv`, message: 'm'.repeat(200) }));
    const copy = newFile();
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    const db = new Database(file);
    db.exec(`VACUUM INTO '${copy}'`);
    db.close();
    return copy;
  }

  it.each<[string, (file: string) => void]>([
    ['is no database', (file) => fs.writeFileSync(file, 'this is no database at all '.repeat(300))],
    ['is cut short', (file) => fs.truncateSync(file, 5000)],
    ['has a damaged beginning', (file) => overwrite(file, 40, 60)],
    ['has a damaged page of the table', (file) => overwrite(file, 3 * 4096, 20 * 4096)],
    ['is of another version', (file) => setVersion(file, 99)],
    ['is a database of something else', (file) => replaceByOther(file)],
  ])('because it %s is begun anew, and says so', (_, damage) => {
    const file = filled();
    damage(file);
    const reasons: string[] = [];
    const ledger = openLedger(file, (reason) => reasons.push(reason));
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).not.toBe('');
    expect(ledger.latest(10)).toEqual([]);
    ledger.add(record());
    closeAll();
    expect(openLedger(file).latest(10)).toHaveLength(1);
  });

  it('is told from a sound one, and opened by whoever trusts it', () => {
    const file = filled();
    const options = { isKnownSound: true };
    expect(Ledger.open(file, unexpected).isSound()).toBe(true);
    overwrite(file, 3 * 4096, 20 * 4096);
    const ledger = Ledger.open(file, unexpected, options);
    expect(ledger.isSound()).toBe(false);
    ledger.close();
    setVersion(file, 99);
    const reasons: string[] = [];
    Ledger.open(file, (reason) => reasons.push(reason), options).close();
    expect(reasons).toEqual([expect.stringContaining('version 99')]);
  });

  it('because the rights or the folder are missing stays as it is', () => {
    const folder = tempDir();
    const file = path.join(folder, 'ledger.db');
    fs.mkdirSync(file);
    expect(() => Ledger.open(file, unexpected)).toThrow();
    expect(fs.statSync(file).isDirectory()).toBe(true);
  });
});

function overwrite(file: string, from: number, to: number): void {
  const bytes = fs.readFileSync(file);
  bytes.fill(0xa5, from, Math.min(to, bytes.length));
  fs.writeFileSync(file, bytes);
}

function setVersion(file: string, version: number): void {
  const db = new Database(file);
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}

function replaceByOther(file: string): void {
  fs.rmSync(file);
  const db = new Database(file);
  db.exec('CREATE TABLE files (x); PRAGMA user_version = 2');
  db.close();
}

describe('looking at a ledger', () => {
  it('creates nothing where there is none', () => {
    const file = newFile();
    expect(Ledger.openExisting(file)).toBeUndefined();
    expect(fs.existsSync(path.dirname(file))).toBe(false);
  });

  it('sees what a daemon has written, and changes nothing', () => {
    const file = newFile();
    openLedger(file).add(record());
    const look = Ledger.openExisting(file)!;
    open.push(look);
    expect(look.latest(10)).toHaveLength(1);
    expect(() => look.add(record())).toThrow();
  });

  it('leaves a damaged one as it is', () => {
    const file = newFile();
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, 'junk '.repeat(1000));
    expect(() => Ledger.openExisting(file)).toThrow();
    expect(fs.readFileSync(file, 'utf8')).toBe('junk '.repeat(1000));
  });
});

it('two processes write one after the other', () => {
  const file = newFile();
  const [one, other] = [openLedger(file), openLedger(file)];
  for (let i = 0; i < 20; i++)
    for (const ledger of [one, other]) ledger.inTransaction(() => ledger.add(record()));
  expect(one.latest(100)).toHaveLength(40);
});

it('a ledger of version 4 finds contents as it did', () => {
  const file = newFile();
  const id = openLedger(file).add(record());
  closeAll();
  const db = new Database(file);
  db.exec(`DROP INDEX files_by_content; CREATE INDEX files_by_content ON files (sha256, name);
    PRAGMA user_version = 4`);
  db.close();
  for (let start = 0; start < 2; start++) {
    expect(openLedger(file).findSeen({ sha256: 'a'.repeat(64), name: 'scores.csv' })?.id).toBe(id);
    closeAll();
  }
  const upToDate = new Database(file);
  const index = upToDate.prepare(`SELECT sql FROM sqlite_schema WHERE name = 'files_by_content'`).get();
  upToDate.close();
  expect(index).toMatchObject({ sql: expect.stringContaining('substr') });
});

describe('a ledger of version 2', () => {
  function olderLedger(): string {
    const file = newFile();
    openLedger(file).add(record());
    closeAll();
    const db = new Database(file);
    const added = ['TABLE details', 'INDEX files_by_name', 'INDEX files_by_time', 'INDEX files_by_load'];
    const quality = [
      'column_layouts',
      'column_stats',
      'quality_counts',
      'drift_findings',
      'alerts',
      'expectations',
    ];
    added.push(...quality.map((table) => `TABLE ${table}`));
    db.exec(`${added.map((one) => `DROP ${one}`).join('; ')}; PRAGMA user_version = 2`);
    db.close();
    return file;
  }

  it('is brought up to date, with all that it knows', () => {
    const file = olderLedger();
    const ledger = openLedger(file);
    expect(ledger.latest(10)).toMatchObject([{ name: 'scores.csv' }]);
    ledger.describe([{ recordId: 1, dialect: '{}' }]);
    expect(ledger.quality.datasets()).toEqual(['people']);
    closeAll();
    expect(openLedger(file).latest(10)).toHaveLength(1);
  });

  it('can be looked at as it is', () => {
    const file = olderLedger();
    const look = Ledger.openExisting(file)!;
    open.push(look);
    expect(look.latest(10)).toHaveLength(1);
  });
});
