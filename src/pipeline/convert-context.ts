import type { Dataset, Limits } from '../config/settings.js';
import type { TextWindow } from '../read/batch-reader.js';
import type { Codec } from '../write/codec.js';
import type { ConvertPlan } from './convert-plan.js';

/** What a thread keeps from file to file. */
export interface ConvertContext {
  datasets: readonly Dataset[];
  overlappingDatasets: 'first' | 'fail_file';
  outputFolder: string;
  failedFolder: string;
  rowGroupRows: number;
  limits: Limits;
  codec: Codec;
  /** Program version, for the Parquet file. */
  version: string;
  /** Judge only: write nothing. */
  dryRun: boolean;
  window: TextWindow;
  plans: Map<string, ConvertPlan>;
  /** Called now and then with the decoded bytes read so far. */
  onProgress?: (bytesRead: number, rows: number) => void;
}
