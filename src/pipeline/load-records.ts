import type { DropgateError } from '../base/errors.js';
import type { Ledger, NewFileRecord } from '../ledger/ledger.js';
import type { ParquetIdentity } from './parquet-identity.js';

/** A Parquet file in the output folder whose rows are known. */
export type FoundParquet = ParquetIdentity & { name: string; path: string };

/** Writes into the local ledger what became of Parquet files. */
export class LoadRecords {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Their rows are in the table. */
  loaded(files: readonly (FoundParquet & { fingerprint: string })[]): void {
    const ledger = this.#ledger;
    ledger.inTransaction(() => {
      ledger.markLoaded(this.#recordIds(files), new Date().toISOString());
      ledger.settleParquet(files);
    });
  }

  /** No retry can load it. A file that is no Parquet file at all has a record only if it was made here. */
  refused(file: { name: string } | FoundParquet, { code, message }: DropgateError): void {
    const ledger = this.#ledger;
    ledger.inTransaction(() => {
      const id =
        'sha256' in file ? this.#recordIds([file])[0] : ledger.parquetAmong([file.name]).get(file.name)?.id;
      if (id === undefined) return;
      ledger.markLoadFailed(id, { code, message });
      const at = {
        hour: new Date().toISOString().slice(0, 13),
        dataset: 'sha256' in file ? file.dataset : '',
      };
      ledger.quality.count([{ ...at, kind: 'load_failed', code, column: '', files: 1, rows: 0, leftOut: 0 }]);
    });
  }

  /** The deliveries that the files were made of; new ones where somebody else made them, or the ledger was begun anew. */
  #recordIds(files: readonly FoundParquet[]): number[] {
    const ledger = this.#ledger;
    const records = ledger.parquetAmong(files.map(({ name }) => name));
    const known = files.map(({ name, file, sha256 }) => {
      const record = records.get(name);
      return record?.sha256 === sha256 && record.name === file ? record.id : undefined;
    });
    const added = ledger.addAll(files.filter((_, i) => known[i] === undefined).map(recordOf));
    return known.map((id) => id ?? added.shift()!);
  }
}

/** A delivery of which only the Parquet file is known. */
function recordOf({ name, file, sha256, dataset, counts }: FoundParquet): NewFileRecord {
  const now = new Date().toISOString();
  return {
    name: file,
    sha256,
    dataset,
    state: 'converted',
    code: null,
    message: null,
    bytesIn: 0,
    bytesOut: 0,
    rowsIn: counts.rows_in,
    rowsOut: counts.rows_out,
    droppedMissing: counts.dropped_missing,
    droppedDuplicate: counts.dropped_duplicate,
    setAside: counts.set_aside,
    parquet: name,
    original: null,
    convertMs: null,
    arrivedAt: now,
    judgedAt: now,
  };
}
