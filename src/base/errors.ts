/** What part of the program a reason code speaks of. */
export type ReasonArea = 'file' | 'columns' | 'rows' | 'load' | 'upload' | 'config' | 'program';

interface Reason {
  area: ReasonArea;
  /** One sentence: what the code means. */
  meaning: string;
  /** One sentence: what a person does about it. */
  hint: string;
}

/**
 * The closed table of reason codes. Reports, the log, the ledger and `--json` output carry these codes and no
 * others; docs/errors.md documents each. A code is never reused for another meaning.
 */
export const REASONS = {
  unreadable: {
    area: 'file',
    meaning: 'The file could not be opened or read.',
    hint: 'Check the rights on the file and the health of the disk, then run "dropgate retry".',
  },
  not_regular_file: {
    area: 'file',
    meaning: 'The entry is a link, a pipe, a device or a folder, not a regular file.',
    hint: 'Copy the file itself into the folder instead of a link to it.',
  },
  empty_file: {
    area: 'file',
    meaning: 'The file holds no bytes, or only white space, delimiters and quotes.',
    hint: 'Ask the sender for the file again; nothing was in it.',
  },
  binary_file: {
    area: 'file',
    meaning: 'The content is binary, not delimited text.',
    hint: 'Export the data as CSV; a workbook, an archive or a picture renamed to .csv cannot be read.',
  },
  bad_gzip: {
    area: 'file',
    meaning: 'The gzip stream is damaged or cut short.',
    hint: 'Send the file again, or drop it uncompressed.',
  },
  bad_encoding: {
    area: 'file',
    meaning: 'Some bytes cannot be decoded in the encoding of the file.',
    hint: 'Save the file as UTF-8, or set "encoding" for the dataset in schema.yaml.',
  },
  no_header: {
    area: 'columns',
    meaning: 'The first row does not hold the names of the columns.',
    hint: 'Add the header row, or set "header: absent" for the dataset if files never have one.',
  },
  empty_column_name: {
    area: 'columns',
    meaning: 'A column of the header has no name.',
    hint: 'Name every column in the header row.',
  },
  duplicate_column: {
    area: 'columns',
    meaning: 'Two columns have the same name after trimming and folding of case.',
    hint: 'Rename one of the two columns.',
  },
  missing_column: {
    area: 'columns',
    meaning: 'A declared column is not in the file.',
    hint: 'Add the column to the file, or remove it from schema.yaml.',
  },
  unknown_column: {
    area: 'columns',
    meaning: 'The file has a column that schema.yaml does not declare.',
    hint: 'Declare the column, or set "extra_columns: ignore" or "extra_columns: rescue".',
  },
  too_many_columns: {
    area: 'columns',
    meaning: 'The file has more columns than limits.max_columns allows.',
    hint: 'Check the delimiter; if the file is right, raise limits.max_columns in dropgate.yaml.',
  },
  no_dataset: {
    area: 'columns',
    meaning: 'No dataset in schema.yaml claims a file of this name.',
    hint: 'Rename the file, or add a dataset whose "files" pattern matches it.',
  },
  ambiguous_dataset: {
    area: 'columns',
    meaning: 'More than one dataset in schema.yaml claims a file of this name.',
    hint: 'Make the "files" patterns distinct, or set "overlapping_datasets: first" in dropgate.yaml.',
  },
  ragged_row: {
    area: 'rows',
    meaning: 'A row has more or fewer cells than the header.',
    hint: 'Mend the row (a delimiter inside a value needs quotes), or set "ragged: set_aside" or "ragged: rescue".',
  },
  stray_quote: {
    area: 'rows',
    meaning: 'A quoted cell goes on after its closing quote.',
    hint: 'Double every quote inside a quoted cell.',
  },
  unclosed_quote: {
    area: 'rows',
    meaning: 'A quoted cell is never closed.',
    hint: 'Close the quote on the named line, or remove the opening one.',
  },
  row_too_long: {
    area: 'rows',
    meaning: 'A row is longer than limits.max_row_bytes.',
    hint: 'Look for an unclosed quote; if the row is right, raise limits.max_row_bytes in dropgate.yaml.',
  },
  wrong_type: {
    area: 'rows',
    meaning: 'A value is not of the type that its column declares.',
    hint: 'Correct the value, or the type of the column in schema.yaml.',
  },
  out_of_range: {
    area: 'rows',
    meaning: 'A number does not fit the type that its column declares.',
    hint: 'Correct the value, or declare a wider type in schema.yaml.',
  },
  too_long: {
    area: 'rows',
    meaning: 'A text is longer than its column allows.',
    hint: 'Shorten the value, or declare a longer type in schema.yaml.',
  },
  rule_violation: {
    area: 'rows',
    meaning: 'A value breaks a rule that schema.yaml sets for its column.',
    hint: 'Correct the value, or the rule in schema.yaml.',
  },
  missing_value: {
    area: 'rows',
    meaning: 'A value is missing where the column is not nullable.',
    hint: 'Fill in the value, declare the column "nullable: true", or set "missing: drop_row".',
  },
  duplicate_row: {
    area: 'rows',
    meaning: 'A row repeats an earlier row of the same file.',
    hint: 'Remove the repetition, or set "duplicates: drop" or "duplicates: keep".',
  },
  too_many_set_aside: {
    area: 'rows',
    meaning: 'More rows had to be set aside than max_set_aside allows.',
    hint: 'Look at the violations in the report: so many bad rows usually mean a changed format.',
  },
  not_parquet: {
    area: 'load',
    meaning: 'The file in the output folder is not a readable Parquet file.',
    hint: 'Write the file again; it may have been copied while half written.',
  },
  no_table: {
    area: 'load',
    meaning: 'No table is declared for the dataset of this Parquet file.',
    hint: 'Declare the table in schema_sql.yaml, or name the file so that a dataset claims it.',
  },
  parquet_columns_differ: {
    area: 'load',
    meaning: 'The columns of the Parquet file are not the columns of its table.',
    hint: 'Compare the named columns with schema_sql.yaml and correct the one that is wrong.',
  },
  table_differs: {
    area: 'load',
    meaning: 'The table in the database does not have the columns that schema_sql.yaml declares.',
    hint: 'Alter the table or schema_sql.yaml so that the named columns agree, then run "dropgate retry --all".',
  },
  load_refused: {
    area: 'load',
    meaning: 'The database refused the rows.',
    hint: 'The message of the database names the row or the constraint; correct it, then run "dropgate retry".',
  },
  database_unreachable: {
    area: 'load',
    meaning: 'The database cannot be reached or does not accept the credentials.',
    hint: 'Check db_creds.yaml and that the server runs; loading resumes by itself.',
  },
  upload_name: {
    area: 'upload',
    meaning: 'A file cannot be uploaded under this name.',
    hint: 'Use a plain file name that ends in .csv, .tsv or .txt, each also with .gz, such as scores.csv.',
  },
  upload_name_taken: {
    area: 'upload',
    meaning: 'A file of this name is in the input folder and has not been taken yet.',
    hint: 'Send the file again when that one has been taken, in a moment as a rule, or under another name.',
  },
  upload_too_large: {
    area: 'upload',
    meaning: 'The file is larger than server.max_upload_bytes allows.',
    hint: 'Split the file, copy it into the input folder, or raise server.max_upload_bytes in dropgate.yaml.',
  },
  upload_broken_off: {
    area: 'upload',
    meaning: 'The upload ended before all of the file was there.',
    hint: 'Send the file again; nothing of it was kept.',
  },
  upload_disk_full: {
    area: 'upload',
    meaning: 'There is no room for the file on the disk of the input folder.',
    hint: 'Make room on the disk, then send the file again; nothing of it was kept.',
  },
  upload_unwritable: {
    area: 'upload',
    meaning: 'The input folder cannot be written.',
    hint: 'Check the rights on the input folder and the health of its disk, then send the file again.',
  },
  config_missing: {
    area: 'config',
    meaning: 'A configuration file is missing or cannot be read.',
    hint: 'Create the file; "dropgate init FILE" proposes one from a sample.',
  },
  config_syntax: {
    area: 'config',
    meaning: 'A configuration file is not valid YAML.',
    hint: 'Correct the line named in the message.',
  },
  config_invalid: {
    area: 'config',
    meaning: 'A configuration key is unknown, or its value is not allowed.',
    hint: 'Correct the key named in the message; docs/configuration.md lists all of them.',
  },
  usage: {
    area: 'program',
    meaning: 'The command line is not understood.',
    hint: 'Run "dropgate --help".',
  },
  locked: {
    area: 'program',
    meaning: 'Another Dropgate works on the same folders.',
    hint: 'Stop the process named in the message, or use another --root.',
  },
  query_refused: {
    area: 'program',
    meaning: 'The database refused the statement of "dropgate query".',
    hint: 'Correct the statement; only reading is allowed.',
  },
  internal: {
    area: 'program',
    meaning: 'An unexpected fault in Dropgate itself.',
    hint: 'The file is unharmed. Report the fault with the lines of conversion_log.txt around it.',
  },
} as const satisfies Record<string, Reason>;

export type ReasonCode = keyof typeof REASONS;

/** Exit codes of the command line (design: 0 done, 1 fault, 2 usage or configuration, 3 files failed, 4 database, 5 locked). */
export const EXIT = { done: 0, fault: 1, usage: 2, filesFailed: 3, database: 4, locked: 5 } as const;

/**
 * The one exception of the program: it ends a file, a load or a command, and carries everything a person needs.
 * Bad rows are not exceptions; they are violations in a report.
 */
export class DropgateError extends Error {
  readonly code: ReasonCode;
  /** What to do; the table's sentence unless the place that throws knows better. */
  readonly hint: string;

  constructor(code: ReasonCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DropgateError';
    this.code = code;
    this.hint = options.hint ?? REASONS[code].hint;
  }
}

/** Any thrown thing as one line of text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name (`ENOSPC`, `EACCES`, …) of a failed system call, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
