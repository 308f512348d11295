import type { NewFileRecord } from '../../src/ledger/ledger.js';

/** A delivery of a file that was converted and waits to be loaded. */
export function record(changes: Partial<NewFileRecord> = {}): NewFileRecord {
  return {
    name: 'scores.csv',
    sha256: 'a'.repeat(64),
    dataset: 'people',
    state: 'converted',
    code: null,
    message: null,
    bytesIn: 1000,
    bytesOut: 100,
    rowsIn: 12,
    rowsOut: 10,
    droppedMissing: 1,
    droppedDuplicate: 0,
    setAside: 1,
    parquet: 'scores.parquet',
    original: 'archived/2026-11-22/scores.csv',
    convertMs: 2.5,
    arrivedAt: '2026-11-22T06:31:02.000Z',
    judgedAt: '2026-11-22T06:31:03.000Z',
    ...changes,
  };
}
