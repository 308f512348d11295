/** From which size on files are divided, and into what. */
export interface PartSizes {
  /** Smaller files are converted by one thread: another one would hardly have begun. */
  minFileBytes: number;
  /** A part is a row group, within these bounds. Each thread needs several times the memory of a part. */
  minPartBytes: number;
  maxPartBytes: number;
  /** Rows that the first block must have to say anything about the others. */
  minSampleRows: number;
}

export const PART_SIZES: PartSizes = {
  minFileBytes: 64 << 20,
  minPartBytes: 1 << 20,
  maxPartBytes: 5 << 20,
  minSampleRows: 200,
};
