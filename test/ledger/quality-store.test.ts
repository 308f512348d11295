import path from 'node:path';
import Database from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.js';
import { MAX_STATS_FILES, type QualityCount } from '../../src/ledger/quality-store.js';
import { tempDir } from '../helpers/temp-dir.js';
import { record } from './record.js';

const open: Ledger[] = [];
afterEach(() => {
  for (const ledger of open.splice(0)) ledger.close();
});

function openLedger(file = path.join(tempDir(), 'ledger.db')): Ledger {
  const ledger = Ledger.open(file, (reason) => {
    throw new Error(`begun anew: ${reason}`);
  });
  open.push(ledger);
  return ledger;
}

const ALL = { since: '0000', until: '9999' };
const stats = (value: number, columns = '["a"]') => ({
  columns,
  numbers: Float64Array.of(0, 1, value, Number.NaN, 2 ** 53 - 1),
});

describe('statistics of columns', () => {
  it('come back as they were, the oldest first, over a change of the columns', () => {
    const { quality, ...ledger } = { quality: openLedger().quality, ledger: open[0] };
    const ids = [1, 2, 3, 4].map((i) => {
      const recordId = ledger.ledger.add(record());
      const columns = i < 3 ? '["a"]' : '["a "]';
      quality.addStats({ recordId, dataset: 'people', stats: stats(i, columns) });
      return recordId;
    });
    quality.addStats({ recordId: ledger.ledger.add(record()), dataset: 'others', stats: stats(9) });
    const found = quality.recentStats('people', { limit: 3 });
    expect(found.map(({ recordId, numbers }) => [recordId, numbers[2]])).toEqual([
      [ids[1], 2],
      [ids[2], 3],
      [ids[3], 4],
    ]);
    expect(found[2]).toMatchObject({ columns: '["a "]', rowsIn: 12, rowsOut: 10 });
    expect(found[2].numbers[4]).toBe(2 ** 53 - 1);
    expect(quality.recentStats('people', { limit: 9, before: ids[2] })).toHaveLength(2);
  });

  it('are kept of the last files only', () => {
    const ledger = openLedger();
    ledger.inTransaction(() => {
      for (let i = 0; i < MAX_STATS_FILES + 200; i++)
        ledger.quality.addStats({ recordId: ledger.add(record()), dataset: 'people', stats: stats(i) });
    });
    const kept = ledger.quality.recentStats('people', { limit: 9999 });
    expect(kept).toHaveLength(MAX_STATS_FILES);
    expect(kept[0].numbers[2]).toBe(200);
  });

  it('survive a transaction that was rolled back', () => {
    const ledger = openLedger();
    const add = () =>
      ledger.quality.addStats({ recordId: ledger.add(record()), dataset: 'people', stats: stats(1) });
    expect(() =>
      ledger.inTransaction(() => {
        add();
        throw new Error('full');
      }),
    ).toThrow('full');
    ledger.inTransaction(add);
    expect(ledger.quality.recentStats('people', { limit: 9 })).toHaveLength(1);
  });
});

const count = (changes: Partial<QualityCount>): QualityCount => ({
  ...{ hour: '2026-11-22T06', dataset: 'people', kind: 'converted', code: '', column: '' },
  ...{ files: 1, rows: 10, leftOut: 2 },
  ...changes,
});

describe('counts', () => {
  it('add up by hour, by day, and altogether, of one dataset or all', () => {
    const { quality } = openLedger();
    quality.count([count({}), count({ hour: '2026-11-22T07' }), count({ hour: '2026-11-23T00' })]);
    quality.count([count({}), count({ dataset: 'others', rows: 1 })]);
    const rows = (bucket: 'hours' | 'days' | 'all', dataset?: string) =>
      quality.counts({ ...ALL, dataset }, bucket).map((one) => [one.hour, one.dataset, one.files, one.rows]);
    expect(rows('hours', 'people')).toEqual([
      ['2026-11-22T06', 'people', 2, 20],
      ['2026-11-22T07', 'people', 1, 10],
      ['2026-11-23T00', 'people', 1, 10],
    ]);
    expect(rows('days', 'people').map(([day, , files]) => [day, files])).toEqual([
      ['2026-11-22', 3],
      ['2026-11-23', 1],
    ]);
    expect(rows('all')).toEqual([
      ['', 'others', 1, 1],
      ['', 'people', 4, 40],
    ]);
    expect(quality.counts({ since: '2026-11-22T07', until: '2026-11-23T00' }, 'all')).toMatchObject([
      { files: 1 },
    ]);
    expect(quality.datasets()).toEqual(['others', 'people']);
  });

  it('begin with what an older ledger knows', () => {
    const file = path.join(tempDir(), 'ledger.db');
    const older = openLedger(file);
    older.add(record());
    older.add(record({ state: 'loaded' }));
    older.add(record({ state: 'failed', code: 'empty_file', dataset: null, convertMs: null }));
    older.add(record({ state: 'load_failed', code: 'unreadable' }));
    // Put there by somebody else.
    older.add(record({ convertMs: null }));
    older.close();
    open.pop();
    const db = new Database(file);
    const tables = [
      'quality_counts',
      'column_stats',
      'column_layouts',
      'drift_findings',
      'alerts',
      'expectations',
    ];
    for (const table of tables) db.exec(`DROP TABLE ${table}`);
    db.exec('PRAGMA user_version = 3');
    db.close();
    for (let start = 0; start < 2; start++) {
      const ledger = openLedger(file);
      const known = ledger.quality.counts(ALL, 'hours');
      expect(known.map((one) => [one.dataset, one.kind, one.code, one.files, one.rows, one.leftOut])).toEqual(
        [
          ['', 'failed', 'empty_file', 1, 0, 0],
          ['people', 'converted', '', 3, 30, 6],
          ['people', 'load_failed', 'unreadable', 1, 0, 0],
        ],
      );
      expect(ledger.latest(9)).toHaveLength(5);
    }
  });
});

describe('alerts', () => {
  it('wait until they are settled, across a restart', () => {
    const file = path.join(tempDir(), 'ledger.db');
    const at = '2026-11-22T06:00:00.000Z';
    const alert = {
      ...{ kind: 'late', dataset: 'people', code: null, count: 1, message: 'late', files: ['a.csv'] },
      ...{ firstAt: at, lastAt: at },
    };
    const first = openLedger(file).quality;
    const ids = [1, 2, 3].map(() => first.addAlert({ ...alert, delivery: 'waiting' }).id);
    first.addAlert({ ...alert, dataset: null, delivery: 'none' });
    first.settleAlerts([ids[0]], 'delivered');
    first.settleAlerts([ids[1]], 'given_up');
    const { quality } = openLedger(file);
    expect(quality.waitingAlerts()).toEqual([
      { ...alert, id: ids[2], delivery: 'waiting', deliveredAt: null },
    ]);
    expect(quality.alerts({ ...ALL, dataset: 'people' }, 9).map(({ delivery }) => delivery)).toEqual([
      'none',
      'waiting',
      'given_up',
      'delivered',
    ]);
    expect(quality.alerts({ ...ALL, dataset: 'others' }, 9)).toHaveLength(1);
  });
});
