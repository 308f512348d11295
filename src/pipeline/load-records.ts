import type { DropgateError } from '../base/errors.js';
import type { Ledger, ParquetRecord } from '../ledger/ledger.js';
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
      const known = ledger.parquetAmong(files.map(({ name }) => name));
      const ids = files.map((found) => this.#recordId(found, known.get(found.name)));
      ledger.markLoaded(ids, new Date().toISOString());
      ledger.settleParquet(files);
    });
  }

  /** No retry can load it. A file that is no Parquet file at all has a record only if it was made here. */
  refused(file: { name: string } | FoundParquet, { code, message }: DropgateError): void {
    const ledger = this.#ledger;
    ledger.inTransaction(() => {
      const known = ledger.parquetAmong([file.name]).get(file.name);
      const id = 'sha256' in file ? this.#recordId(file, known) : known?.id;
      if (id === undefined) return;
      ledger.markLoadFailed(id, { code, message });
      const at = {
        hour: new Date().toISOString().slice(0, 13),
        dataset: 'sha256' in file ? file.dataset : '',
      };
      ledger.quality.count([{ ...at, kind: 'load_failed', code, column: '', files: 1, rows: 0, leftOut: 0 }]);
    });
  }

  /** The delivery that the file was made of; a new one when somebody else made it, or the ledger was begun anew. */
  #recordId({ name, file, counts, ...found }: FoundParquet, known: ParquetRecord | undefined): number {
    if (known?.sha256 === found.sha256 && known.name === file) return known.id;
    const now = new Date().toISOString();
    return this.#ledger.add({
      name: file,
      sha256: found.sha256,
      dataset: found.dataset,
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
    });
  }
}
