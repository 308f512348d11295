import { EarlyFlush } from '../base/early-flush.js';
import { createTempFile, fileOps, type TempFile, writeAll } from '../base/files.js';
import type { ColumnSpec, TypedColumn } from '../base/vector.js';
import type { RowText } from '../load/row-text.js';
import type { OpenTable } from '../read/open-table.js';
import { ParquetFile } from '../write/parquet-file.js';
import type { EncodedRowGroup } from '../write/row-group.js';
import { type PackedStats, StatsCollector } from './column-stats.js';
import type { ConvertContext } from './convert-context.js';
import type { ConvertPlan } from './convert-plan.js';
import type { RowsOutlet } from './convert-rows.js';
import { RejectsFile } from './rejects.js';
import type { TextRange } from './rows-text.js';

/** Paths of complete temporary files. */
export interface FinishedTemps {
  parquetTemp?: string;
  /** Absent when no row was left out. */
  rejectsTemp?: string;
  bytesOut: number;
  /** Where its rows lie as COPY text, in the room for them. */
  textRange?: TextRange;
}

/** The temporary files that one file is converted into: its table, and the rows that are left out. */
export class TableFiles implements RowsOutlet {
  readonly #specs: readonly ColumnSpec[];
  readonly #rowText: RowText | undefined;
  readonly #context: ConvertContext;
  readonly #rejects: RejectsFile;
  readonly #stats: StatsCollector;
  #textRange: FinishedTemps['textRange'];
  #parquet: { file: ParquetFile; temp: TempFile; isOpen: boolean; flush: EarlyFlush } | undefined;

  constructor({
    table,
    plan: { specs, rowText },
    context,
  }: { table: OpenTable; plan: Pick<ConvertPlan, 'specs' | 'rowText'>; context: ConvertContext }) {
    this.#specs = specs;
    this.#rowText = rowText;
    this.#context = context;
    this.#stats = new StatsCollector(specs);
    this.#rejects = new RejectsFile({
      folder: context.failedFolder,
      header: table.headerBytes,
      lineEnd: lineEndOf(table),
      encoding: table.findings.encoding,
    });
  }

  append(group: EncodedRowGroup): void {
    this.#stats.add(group.meta);
    this.#openParquet().append(group);
  }

  /** What was seen of the columns while they were written. */
  get columnStats(): PackedStats {
    return this.#stats.pack();
  }

  reject(record: Uint8Array): void {
    this.#rejects.add(record);
  }

  /** Writes the rows as text too, where there is room. */
  seeAll(data: readonly TypedColumn[], rowCount: number): void {
    const { textRoom } = this.#context;
    if (!textRoom || !this.#rowText) return;
    const { bytes: room, at: start } = textRoom;
    const end = this.#rowText.write(data, { rowCount, room, at: start });
    if (end === undefined) return;
    this.#textRange = { start, end };
    textRoom.at = end;
  }

  /** Completes the files; in a dry run there are none. They are not flushed yet. @throws system errors */
  async finish(metadata: Record<string, string>): Promise<FinishedTemps> {
    if (this.#context.dryRun) return { bytesOut: 0 };
    const { byteLength } = this.#openParquet().finish(metadata);
    this.#closeParquet();
    await this.#parquet!.flush.finish();
    return {
      parquetTemp: this.#parquet!.temp.path,
      rejectsTemp: this.#rejects.finish(),
      bytesOut: byteLength,
      textRange: this.#textRange,
    };
  }

  /** Closes the files and answers which are to be deleted. */
  abandon(): string[] {
    for (const close of [() => this.#closeParquet(), () => this.#rejects.close()]) ignoringErrors(close);
    return [this.#parquet?.temp.path, this.#rejects.tempPath].filter((file) => file !== undefined);
  }

  #openParquet(): ParquetFile {
    if (!this.#parquet) {
      const temp = createTempFile(this.#context.outputFolder);
      const flush = new EarlyFlush(temp.path);
      const write = (bytes: Uint8Array) => {
        writeAll(temp.fd, bytes);
        flush.wrote(bytes.length);
      };
      const file = new ParquetFile({
        sink: { write },
        columns: this.#specs,
        version: this.#context.version,
      });
      this.#parquet = { file, temp, isOpen: true, flush };
    }
    return this.#parquet.file;
  }

  #closeParquet(): void {
    if (!this.#parquet?.isOpen) return;
    this.#parquet.isOpen = false;
    fileOps.closeSync(this.#parquet.temp.fd);
  }
}

/** What cannot be closed properly is deleted next. */
function ignoringErrors(work: () => void): void {
  try {
    work();
  } catch {}
}

/** What ends a record in the file. */
function lineEndOf({ headerBytes, findings }: OpenTable): string {
  const written = /\r?\n?$/.exec(Buffer.from(headerBytes.subarray(-2)).toString('latin1'))![0];
  return written || (findings.dialect.loneCrEnds ? '\r' : '\n');
}
