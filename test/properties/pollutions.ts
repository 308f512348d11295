import type { DefectFile } from './defects.js';

/*
 * One table of addresses and payments, polluted in one place each time, after the list of pollutions in Vitagliano et al.,
 * "Pollock: A Data Loading Benchmark" (VLDB 2023). The table, the generator and the intended readings are our own.
 */

const HEADER = ['id', 'name', 'address', 'born', 'e-mail', 'paid at', 'amount', 'currency', 'remark'];

const NAMES = [
  "Sinead O'Brien",
  'Łukasz Nowak',
  'Ann-Marie Smith',
  'Chen Wei',
  'José da Silva',
  'Zoë',
  'Max Müller',
];
const STREETS = [
  '12 High Street, Leeds',
  '3/4 Rue de la Paix, Paris',
  'Market Sq. 7, Ghent, BE',
  '9 Elm Rd, Bath',
];
const REMARKS = [
  '',
  'paid in full',
  'says "call me", please',
  'the "old" account',
  'twice; see ledger',
  '',
  'rest to follow, in May',
  'n/a',
];
const ROW_COUNT = 31;

const ROWS = Array.from({ length: ROW_COUNT }, (_, i) => [
  `C-${String(1000 + i * 37)}`,
  NAMES[i % NAMES.length],
  STREETS[i % STREETS.length],
  `19${60 + (i % 40)}-0${1 + (i % 9)}-${10 + (i % 19)}`,
  i % 6 === 4 ? '' : `user${i}@example.org`,
  `2024-03-${String(1 + i).padStart(2, '0')} ${String(7 + (i % 12)).padStart(2, '0')}:${10 + i}`,
  i % 10 === 9 ? '' : (((i * 7919) % 90000) / 100).toFixed(2),
  ['EUR', 'GBP', 'PLN'][i % 3],
  REMARKS[i % REMARKS.length],
]);

const TABLE = [HEADER, ...ROWS];
const SOUND = { header: HEADER, records: ROWS };

interface Style {
  label: string;
  delimiter: string;
  lineEnd: string;
  /** Which cells stand in quotes beside those that must. */
  quotes: 'few' | 'texts' | 'all';
}

const STYLES: Style[] = [
  { label: 'comma, few quotes', delimiter: ',', lineEnd: '\r\n', quotes: 'few' },
  { label: 'comma, all quoted', delimiter: ',', lineEnd: '\n', quotes: 'all' },
  { label: 'semicolon, texts quoted', delimiter: ';', lineEnd: '\n', quotes: 'texts' },
];

/** How one cell, row or file is written. */
interface Marks {
  delimiter: string;
  quote: string;
  escape: 'double' | 'backslash' | 'none';
  quotes: Style['quotes'];
}

/** All files of the list. */
export function* pollutedFiles(): Generator<DefectFile> {
  yield* wholeFiles();
  for (const style of STYLES) {
    for (const file of [...shapes(style), ...rows(style), ...cells(style)]) {
      yield { ...file, name: `${file.name} (${style.label})` };
    }
  }
}

function mustQuote(text: string, { delimiter, quote }: Marks): boolean {
  return [quote, delimiter, delimiter[0], '\n', '\r'].some((mark) => mark !== '' && text.includes(mark));
}

function written(text: string, marks: Marks): string {
  const { quote, escape: way, quotes } = marks;
  const isText = text !== '' && !/^[\d.:+-]+$/.test(text);
  if (!mustQuote(text, marks) && !(quotes === 'all' || (quotes === 'texts' && isText))) {
    return text === '' && marks.delimiter === ' ' ? quote + quote : text;
  }
  const mark = { double: quote + quote, backslash: `\\${quote}`, none: quote }[way];
  return quote + text.replaceAll(quote, mark) + quote;
}

function marksOf({ delimiter, quotes }: Style): Marks {
  return { delimiter, quotes, quote: '"', escape: 'double' };
}

function line(row: string[], marks: Marks): string {
  return row.map((cell) => written(cell, marks)).join(marks.delimiter);
}

function lines(style: Style, table = TABLE): string[] {
  return table.map((row) => line(row, marksOf(style)));
}

function bytes(all: string[], { lineEnd }: Pick<Style, 'lineEnd'>): Uint8Array {
  return Buffer.from(all.map((one) => one + lineEnd).join(''));
}

/** Delimiter, quote, escape and line end of the whole file. */
function* wholeFiles(): Generator<DefectFile> {
  for (const delimiter of [',', ';', '\t', '|', ' ', ', ']) {
    for (const quote of ['"', "'"]) {
      for (const way of ['double', 'backslash', 'none'] as const) {
        // A quote before a delimiter closes the cell where nothing escapes it.
        const isClear = !ROWS.flat().some((cell) => cell.includes(quote + delimiter[0]));
        if (way === 'none' && !isClear) continue;
        for (const quotes of ['few', 'texts', 'all'] as const) {
          for (const lineEnd of ['\n', '\r\n', '\r']) {
            const marks = { delimiter, quote, escape: way, quotes };
            yield {
              name: `delimiter ${JSON.stringify(delimiter)}, quote ${quote}, escape ${way}, ${quotes} quoted, ${JSON.stringify(lineEnd)}`,
              content: bytes(
                TABLE.map((row) => line(row, marks)),
                { lineEnd },
              ),
              ...SOUND,
            };
          }
        }
      }
    }
  }
}

/** What stands around the table, its header, and its number of rows. */
function* shapes(style: Style): Generator<DefectFile> {
  const all = lines(style);
  const [head, ...body] = all;
  const { delimiter, lineEnd } = style;
  const file = (name: string, changed: string[], what: Partial<DefectFile> = {}): DefectFile => ({
    name,
    content: bytes(changed, style),
    ...SOUND,
    ...what,
  });
  yield file('sound', all);
  yield { name: 'no last line end', content: Buffer.from(all.join(lineEnd)), ...SOUND };
  yield file('a blank line at the end', [...all, '']);
  yield file('no header', body, { header: undefined });
  yield file('header only', [head], { records: [] });
  yield { name: 'header only, no line end', content: Buffer.from(head), header: HEADER, records: [] };
  for (const count of [1, 2, 3]) {
    yield file(`${count} rows`, all.slice(0, count + 1), { records: ROWS.slice(0, count) });
    yield file(`${count} rows, no header`, body.slice(0, count), {
      header: undefined,
      records: ROWS.slice(0, count),
    });
  }
  yield file('header twice', [head, ...all], { records: [HEADER, ...ROWS] });
  const below = [
    'key',
    'of the payer',
    'street, town',
    'date',
    'if known',
    'local time',
    'net',
    'ISO',
    'free text',
  ];
  const marks = marksOf(style);
  yield file('header of two rows', [head, line(below, marks), ...body], {
    header: HEADER.map((name, i) => `${name} ${below[i]}`),
  });
  yield file(
    'header of three rows',
    [
      head,
      line(below, marks),
      line(
        below.map((n) => `(${n})`),
        marks,
      ),
      ...body,
    ],
    {
      header: HEADER.map((name, i) => `${name} ${below[i]} (${below[i]})`),
    },
  );
  const wide = (text: string) => text + delimiter.repeat(HEADER.length - 1);
  const above: Record<string, string[]> = {
    'one cell': ['PAYMENTS'],
    'one wide row': [wide('PAYMENTS')],
    'one cell and a blank line': ['PAYMENTS', ''],
    'one wide row and an empty one': [wide('PAYMENTS'), wide('')],
    'three cells': ['PAYMENTS', 'of March', 'all branches'],
    'three wide rows and an empty one': [wide('PAYMENTS'), wide('of March'), wide('all branches'), wide('')],
  };
  for (const [name, records] of Object.entries(above)) yield file(`preamble: ${name}`, [...records, ...all]);
  const names: Record<string, string[]> = {
    'the same twice': HEADER.with(3, HEADER[1]),
    'one empty': HEADER.with(4, ''),
    'first empty': HEADER.with(0, ''),
    'last empty': HEADER.with(-1, ''),
    'not letters': HEADER.with(2, 'ADDR/%R'),
    long: HEADER.with(2, 'HEADER'.repeat(2000)),
  };
  for (const [name, header] of Object.entries(names)) {
    yield file(`names: ${name}`, [line(header, marks), ...body], { header });
  }
  const tables: Record<string, string[][]> = {
    less: TABLE.map((row) => row.slice(0, -1)),
    same: TABLE,
    more: TABLE.map((row, i) => [...row, i === 0 ? 'branch' : 'North']),
  };
  for (const [name, table] of Object.entries(tables)) {
    for (const gap of [[], ['']]) {
      yield file(
        `second table: ${name}${gap.length > 0 ? ', set off' : ''}`,
        [...all, ...gap, ...lines(style, table)],
        {
          records: [...ROWS, ...table],
        },
      );
    }
  }
}

/** One record is written in another way. */
function* rows(style: Style): Generator<DefectFile> {
  const all = lines(style);
  const marks = marksOf(style);
  for (const [at, row] of TABLE.entries()) {
    const file = (what: string, changed: string): DefectFile => ({
      name: `${what} at record ${at}`,
      content: bytes(all.with(at, changed), style),
      ...SOUND,
    });
    const ended = (end: string): Uint8Array =>
      Buffer.from(all.map((one, i) => one + (i === at ? end : style.lineEnd)).join(''));
    for (const [name, end] of Object.entries({ LF: '\n', CRLF: '\r\n', CR: '\r', 'two line ends': '\n\n' })) {
      yield { name: `${name} at record ${at}`, content: ended(end), ...SOUND };
    }
    for (const delimiter of [' ', ';', ',', '\t', '|']) {
      if (delimiter === style.delimiter) continue;
      yield file(`delimiter ${JSON.stringify(delimiter)}`, line(row, { ...marks, delimiter }));
    }
    // Where the delimiter is in no cell nothing is wrong with the record: the quotes are signs of its text.
    if (row.some((cell) => cell.includes(style.delimiter))) {
      yield file("quote '", line(row, { ...marks, quote: "'" }));
    }
    yield file('escape backslash', line(row, { ...marks, escape: 'backslash' }));
    const isClear = !row.some((cell) => cell.includes(`"${style.delimiter}`));
    if (isClear) yield file('escape none', line(row, { ...marks, escape: 'none' }));
    yield file('all cells quoted', line(row, { ...marks, quotes: 'all' }));
  }
}

/** One cell is written in another way, or has another neighbour. */
function* cells(style: Style): Generator<DefectFile> {
  const all = lines(style);
  const marks = marksOf(style);
  const { delimiter } = style;
  for (const [at, row] of TABLE.entries()) {
    const sound = row.map((cell) => written(cell, marks));
    for (const [column, text] of row.entries()) {
      const raw = sound[column];
      const isQuoted = raw.startsWith('"');
      const inner = isQuoted ? raw.slice(1, -1) : raw;
      const middle = inner.length >> 1;
      const file = (what: string, cells: string[], intended: string[]): DefectFile => ({
        name: `${what} at record ${at}, cell ${column}`,
        content: bytes(all.with(at, cells.join(delimiter)), style),
        header: at === 0 ? intended : HEADER,
        records: at === 0 ? ROWS : ROWS.with(at - 1, intended),
      });
      const inPlace = (what: string, changed: string, value: string) =>
        file(what, sound.with(column, changed), row.with(column, value));
      yield file('delimiter more', sound.toSpliced(column, 0, ''), row.toSpliced(column, 0, ''));
      if (column > 0 && !isQuoted && !sound[column - 1].startsWith('"')) {
        const merged = row.toSpliced(column - 1, 2, row[column - 1] + text);
        yield file('delimiter less', sound.toSpliced(column - 1, 2, sound[column - 1] + raw), merged);
      }
      if (isQuoted && !text.includes('"')) {
        yield inPlace('quote more at the start', `""${inner}"`, `"${text}`);
        const broken = `${inner.slice(0, middle)}"${inner.slice(middle)}`;
        if (!inner.slice(middle).startsWith(delimiter))
          yield inPlace('quote more in the middle', `"${broken}"`, broken);
        yield inPlace('quote more at the end', `"${inner}""`, `${text}"`);
        yield inPlace('closing quote less', `"${inner}`, text);
        // Where no delimiter is in the cell nothing is wrong with the record: the quote is a sign of its text.
        if (text !== '')
          yield inPlace('opening quote less', `${inner}"`, text.includes(delimiter) ? text : `${text}"`);
      } else if (!isQuoted && text !== '') {
        yield inPlace('quote more at the start', `"${text}`, `"${text}`);
        yield inPlace(
          'quote more in the middle',
          `${text.slice(0, middle)}"${text.slice(middle)}`,
          `${text.slice(0, middle)}"${text.slice(middle)}`,
        );
        yield inPlace('quote more at the end', `${text}"`, `${text}"`);
      }
      const broken = `${text}\r\nsecond line, "of" it`;
      yield inPlace('line break', written(broken, marks), broken);
    }
  }
}
