import { escapeControls } from '../base/text.js';

/** A column of a table of text. */
export interface TextColumn {
  title: string;
  align: 'left' | 'right';
}

/**
 * Rows as aligned lines under their titles. Control characters are escaped, so that a value can neither break the
 * lines nor speak to the terminal.
 */
export function textTable(columns: readonly TextColumn[], rows: readonly string[][]): string[] {
  const cells = rows.map((row) => row.map(escapeControls));
  const titles = columns.map(({ title }) => escapeControls(title));
  const widths = titles.map((title, i) => widest([title, ...cells.map((row) => row[i])]));
  const line = (row: string[]) =>
    row
      .map((cell, i) => padded(cell, widths[i], columns[i].align))
      .join('  ')
      .trimEnd();
  return [line(titles), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(line)];
}

function widest(cells: string[]): number {
  return cells.reduce((most, cell) => Math.max(most, displayWidth(cell)), 1);
}

function padded(cell: string, width: number, align: TextColumn['align']): string {
  const padding = ' '.repeat(width - displayWidth(cell));
  return align === 'right' ? padding + cell : cell + padding;
}

const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** The blocks of East Asian scripts and pictures that terminals show two columns wide. */
const DOUBLE_WIDTH =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns that a text takes on a terminal. */
function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) width += NO_WIDTH.test(char) ? 0 : DOUBLE_WIDTH.test(char) ? 2 : 1;
  return width;
}
