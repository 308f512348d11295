import type { MessagePort } from 'node:worker_threads';
import type { Dataset, Limits } from '../config/settings.js';
import type { RowTarget } from '../load/row-text.js';
import type { TextWindow } from '../read/batch-reader.js';
import type { ReadOptions } from '../read/open-table.js';
import type { Codec } from '../write/codec.js';
import type { ConvertPlan } from './convert-plan.js';
import type { PartSizes } from './part-sizes.js';

/** Where threads come from that have nothing else to do. */
export interface HelperDesk {
  /** Asks for help: `admit` is called with a port to each thread that comes. */
  open(admit: (port: MessagePort) => void): void;
  /** No help is needed any more. */
  close(): void;
}

/** How the files of one dataset are read. */
export type ReadWishes = Omit<ReadOptions, 'encoding'>;

/** Memory for COPY text, filled from its beginning. */
export interface TextRoom {
  bytes: Uint8Array;
  /** Where the next text goes. */
  at: number;
}

/** What a thread keeps from file to file. */
export interface ConvertContext {
  datasets: readonly Dataset[];
  overlappingDatasets: 'first' | 'fail_file';
  outputFolder: string;
  failedFolder: string;
  /** For temporary files that nobody else sees. */
  scratchFolder: string;
  rowGroupRows: number;
  limits: Limits;
  codec: Codec;
  /** Program version, for the Parquet file. */
  version: string;
  /** Judge only: write nothing. */
  dryRun: boolean;
  window: TextWindow;
  /** For a part of a file, while the first one holds the beginning of it. */
  partWindow: TextWindow;
  plans: Map<string, ConvertPlan>;
  /** The tables that files are loaded into, by dataset; absent where none are. */
  rowTargets?: Readonly<Record<string, RowTarget>>;
  /** Where the rows of small files go as COPY text; absent where nobody asks for them. */
  textRoom?: TextRoom;
  /** Made when the first file of a dataset comes. */
  wishes: Map<Dataset, ReadWishes>;
  /** Absent where there is only one thread. */
  helpers?: HelperDesk;
  /** Default: PART_SIZES. */
  partSizes?: PartSizes;
  /** Rows are compared in a set of at most so many slots; the others on the disk. Default: MAX_SLOTS. */
  rowSetSlots?: number;
  /** Called now and then with the decoded bytes read so far. */
  onProgress?: (bytesRead: number, rows: number) => void;
}
