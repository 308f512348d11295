/** What a sender lays beside a complete file in marker mode: `scores.csv.done`. */
export const MARKER_SUFFIX = '.done';

const UNFINISHED_NAME = /^\.|\.(?:tmp|part|filepart|crdownload|swp)$|~$/i;

/**
 * True for names that are never touched: dotfiles, and names ending in .tmp, .part, .filepart, .crdownload, .swp
 * or ~ (in any letter case), under which uploads and editors keep unfinished files.
 */
export function isIgnoredName(name: string): boolean {
  return UNFINISHED_NAME.test(name);
}

const DELIMITED_NAME = /\.(?:csv|tsv|txt)(?:\.gz)?$/i;

/** True for names of delimited text: .csv, .tsv, .txt, each also with .gz, in any letter case. */
export function isDelimitedName(name: string): boolean {
  return DELIMITED_NAME.test(name);
}

/** True for names of Parquet files: .parquet in any letter case. */
export function isParquetName(name: string): boolean {
  return /\.parquet$/i.test(name);
}
