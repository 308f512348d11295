import { matchKinds } from './column-kinds.js';
import { firstFitting, hasKinds, type RecordForm } from './readings.js';
import { RecordSplitter, type Span, type SplitRecord } from './record.js';

const DELIMITERS = [';', '\t', '|', ',', ' '];
/** Fewer cells than this fit by accident. */
const MIN_CELLS = 3;

/**
 * The reading of a record that does not have the table's number of cells, because it is written in another dialect than the
 * rest of its file: backslashes before quotes, another quote, another delimiter. Undefined when no reading fits.
 */
export function readForeign(span: Span, form: RecordForm): SplitRecord | undefined {
  const { width, dialect } = form;
  const text = Buffer.from(span.buffer.buffer, span.buffer.byteOffset + span.from, span.end - span.from);
  if (text.includes('\\')) {
    const found = firstFitting(span, form, [new RecordSplitter({ ...dialect, escape: 'backslash' })]);
    if (found) return found;
  }
  if (width < MIN_CELLS) return undefined;
  const { habits } = form;
  return (
    readJoined(span, form) ??
    readOtherQuote(span, form) ??
    readOtherDelimiter(span, { form, accepts: (cells, delimiter) => isLike(cells, { delimiter, habits }) })
  );
}

/** A cell that lost its opening quote, so that its delimiters part it: `Leeds, UK"`. */
function readJoined(span: Span, { width, dialect }: RecordForm): SplitRecord | undefined {
  const { quote, delimiter } = dialect;
  const record = new RecordSplitter(dialect).split(span);
  const surplus = record.cells.length - width;
  if (record.fault || surplus <= 0 || quote === '') return undefined;
  const ends = record.cells.flatMap((cell, i) => (!record.quoted[i] && cell.endsWith(quote) ? [i] : []));
  const [last] = ends;
  if (ends.length !== 1 || last < surplus) return undefined;
  const first = last - surplus;
  const parts = record.cells.slice(first, last + 1);
  if (
    record.quoted.slice(first, last).includes(true) ||
    parts.join('').indexOf(quote) < parts.join('').length - 1
  )
    return undefined;
  const joined = parts.join(delimiter).slice(0, -1);
  return {
    ...record,
    cells: record.cells.toSpliced(first, surplus + 1, joined),
    quoted: record.quoted.toSpliced(first, surplus + 1, true),
  };
}

function readOtherQuote(span: Span, form: RecordForm): SplitRecord | undefined {
  const { dialect } = form;
  const quote = dialect.quote === '"' ? "'" : '"';
  const found = firstFitting(span, form, [new RecordSplitter({ ...dialect, quote, escape: 'double' })]);
  // Without a quoted cell nothing has been understood.
  return found?.quoted.includes(true) && hasKinds(found.cells, form) ? found : undefined;
}

/** The reading with another delimiter that gives the table's number of cells, if they are acceptable. */
export function readOtherDelimiter(
  span: Span,
  { form, accepts }: { form: RecordForm; accepts: (cells: string[], delimiter: string) => boolean },
): SplitRecord | undefined {
  for (const delimiter of DELIMITERS) {
    if (delimiter === form.dialect.delimiter) continue;
    const found = firstFitting(span, form, [new RecordSplitter({ ...form.dialect, delimiter })]);
    if (found && accepts(found.cells, delimiter)) return found;
  }
  return undefined;
}

/** Do cells that a foreign delimiter parts look like those of the table, rather than like the words of a sentence? */
function isLike(
  cells: readonly string[],
  { delimiter, habits }: { delimiter: string; habits: RecordForm['habits'] },
): boolean {
  const { same, other } = matchKinds(cells, habits.kinds);
  if (other * 4 > same) return false;
  const known = habits.kinds.filter((kind) => kind !== undefined).length;
  if (delimiter === ' ') return same > 0 && same * 2 >= known;
  return delimiter !== ',' || !cells.slice(1).every((cell) => cell.startsWith(' '));
}
