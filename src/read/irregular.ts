/** What is wrong with a record that did not make a row. */
export type Irregularity = 'ragged' | 'stray_quote' | 'unclosed_quote' | 'bad_encoding';

/** A record that is not a row of the table. Offsets are positions in the scanned buffer. */
export interface IrregularRecord {
  kind: Irregularity;
  start: number;
  /** Past the last byte before the line end. */
  end: number;
  /** The number of rows before it in this batch. */
  beforeRow: number;
  /** Line breaks consumed before it in this batch. */
  linesBefore: number;
  /** Number of cells (ragged, bad_encoding) or index of the cell with the quote. */
  cells: number;
  /** Where the offending byte or cell is. */
  at: number;
}

/** Something that is worth telling and costs no row: a line that is no record, a record that was mended or is doubtful. */
export interface ScanNote {
  kind: 'repeated_header' | 'footer' | 'mended_record' | 'another_header';
  start: number;
  end: number;
  linesBefore: number;
}
