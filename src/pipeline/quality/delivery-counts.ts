import type { NewFileRecord } from '../../ledger/ledger.js';
import type { QualityCount } from '../../ledger/quality-store.js';

/** A delivery as it is written down. */
export interface CountedDelivery {
  record: Pick<NewFileRecord, 'state' | 'code' | 'dataset' | 'judgedAt' | 'rowsIn' | 'rowsOut'>;
  /** Violations of rows that were left out, see ViolationList.byPlace. */
  leftOutBy?: ReadonlyMap<string, number>;
}

/** What some deliveries add to the counts of their hours: one entry for all that fall together. */
export function countDeliveries(deliveries: readonly CountedDelivery[]): Iterable<QualityCount> {
  const counts = new Map<string, QualityCount>();
  const add = ({ files, rows, leftOut, ...key }: QualityCount) => {
    const text = JSON.stringify(Object.values(key));
    const known = counts.get(text);
    if (!known) {
      counts.set(text, { ...key, files, rows, leftOut });
      return;
    }
    known.files += files;
    known.rows += rows;
    known.leftOut += leftOut;
  };
  for (const { record, leftOutBy } of deliveries) {
    const at = { hour: record.judgedAt.slice(0, 13), dataset: record.dataset ?? '' };
    const { state, rowsIn, rowsOut } = record;
    if (state === 'failed' || state === 'duplicate') {
      add({ ...at, kind: state, code: record.code ?? '', column: '', files: 1, rows: 0, leftOut: 0 });
      continue;
    }
    const left = { rows: rowsOut, leftOut: rowsIn - rowsOut };
    add({ ...at, kind: 'converted', code: '', column: '', files: 1, ...left });
    for (const [place, violations] of leftOutBy ?? []) {
      const [code, column] = splitPlace(place);
      add({ ...at, kind: 'violation', code, column, files: 1, rows: violations, leftOut: 0 });
    }
  }
  return counts.values();
}

/** Codes have no spaces. */
function splitPlace(place: string): [code: string, column: string] {
  const end = place.indexOf(' ');
  return [place.slice(0, end), place.slice(end + 1)];
}
