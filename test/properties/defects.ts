/** A file with one defect, and what a careful person reads in it. */
export interface DefectFile {
  /** The defect, and where it is. */
  name: string;
  content: Uint8Array;
  header: string[] | undefined;
  /** Cells of each record, in the order of the file. */
  records: string[][];
  /** Lines of records that cannot be read and must be told as irregular. */
  irregularLines?: number[];
}

/** How the sound file is written. */
interface Style {
  delimiter: string;
  quoteAll: boolean;
  lineEnd: string;
}

const STYLES: Style[] = [
  { delimiter: ',', quoteAll: false, lineEnd: '\n' },
  { delimiter: ';', quoteAll: false, lineEnd: '\r\n' },
  { delimiter: ',', quoteAll: true, lineEnd: '\n' },
  { delimiter: '\t', quoteAll: false, lineEnd: '\n' },
];

const HEADER = ['date', 'time', 'count', 'product', 'price', 'note'];

const ROWS = [
  ['2023-12-10', '10:10', '3', 'Hammer, 16 oz', '12.50', ''],
  ['2023-12-10', '10:42', '1', 'Wall paint; white', '8.99', 'to be collected'],
  ['2023-12-11', '09:05', '12', 'Screws', '0.35', ''],
  ['2023-12-11', '16:30', '2', 'Drill "Max", cordless', '104.00', "customer's own bag"],
  ['2023-12-12', '08:15', '5', 'Hammer, 16 oz', '12.50', ''],
  ['2023-12-12', '11:59', '1', 'Desk lamp', '39.90', 'gift wrap'],
  ['2023-12-13', '12:00', '7', 'Façade paint, grey', '14.75', ''],
  ['2023-12-13', '15:20', '40', 'Nails', '0.05', 'in a box, please'],
  ['2023-12-14', '07:55', '1', 'Ladder', '79.00', ''],
  ['2023-12-14', '17:45', '3', 'Brush', '4.20', 'soft'],
];

const TABLE = [HEADER, ...ROWS];

/** All files of the generator: every defect at every place of a small table, in several styles. */
export function* defectFiles(): Generator<DefectFile> {
  yield* dialectFiles();
  yield* encodingFiles();
  for (const style of STYLES) {
    const label = `${JSON.stringify(style.delimiter)}${style.quoteAll ? ' all quoted' : ''}`;
    for (const file of [...shapeFiles(style), ...rowFiles(style), ...cellFiles(style)]) {
      yield { ...file, name: `${file.name} (${label})` };
    }
  }
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function cellIn(text: string, { delimiter, quoteAll }: Style): string {
  const isPlain = !text.includes(delimiter) && !/["\r\n]/.test(text);
  return isPlain && !quoteAll ? text : quoted(text);
}

function lineOf(row: string[], style: Style): string {
  return row.map((cell) => cellIn(cell, style)).join(style.delimiter);
}

function linesOf(style: Style, table = TABLE): string[] {
  return table.map((row) => lineOf(row, style));
}

function bytesOf(lines: string[], { lineEnd }: Style): Uint8Array {
  return Buffer.from(lines.map((line) => line + lineEnd).join(''));
}

const SOUND = { header: HEADER, records: ROWS };

/** Delimiters, quotes, escapes and line ends. */
function* dialectFiles(): Generator<DefectFile> {
  for (const delimiter of [',', ';', '\t', '|', ', ', ' ', '^', '~', ':', '#']) {
    for (const quote of ['"', "'"]) {
      for (const way of ['double', 'backslash']) {
        for (const quoteAll of [false, true]) {
          for (const lineEnd of ['\n', '\r\n', '\r']) {
            const lines = TABLE.map((row) =>
              row.map((cell) => written(cell, { delimiter, quote, escape: way, quoteAll })).join(delimiter),
            );
            const name = `delimiter ${JSON.stringify(delimiter)}, quote ${quote}, escape ${way}, ${quoteAll ? 'all' : 'some'} quoted, ${JSON.stringify(lineEnd)}`;
            yield { name, content: Buffer.from(lines.join(lineEnd) + lineEnd), ...SOUND };
          }
        }
      }
    }
  }
}

function written(
  text: string,
  how: { delimiter: string; quote: string; escape: string; quoteAll: boolean },
): string {
  const { delimiter, quote } = how;
  const isPlain =
    ![delimiter[0], delimiter, quote, '\n'].some((mark) => text.includes(mark)) &&
    !(delimiter === ' ' && text === '');
  if (isPlain && !how.quoteAll) return text;
  return quote + text.replaceAll(quote, (how.escape === 'double' ? quote : '\\') + quote) + quote;
}

function* encodingFiles(): Generator<DefectFile> {
  const text = linesOf(STYLES[0]).join('\n');
  const utf16 = Buffer.from(text, 'utf16le');
  yield { name: 'UTF-8 with a mark', content: Buffer.from(`\ufeff${text}`), ...SOUND };
  yield { name: 'UTF-16 LE with a mark', content: Buffer.from(`\ufeff${text}`, 'utf16le'), ...SOUND };
  yield { name: 'UTF-16 LE without a mark', content: utf16, ...SOUND };
  yield { name: 'UTF-16 BE without a mark', content: Buffer.from(utf16).swap16(), ...SOUND };
  yield {
    name: 'UTF-16 BE with a mark',
    content: Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
    ...SOUND,
  };
  yield { name: 'Windows-1252', content: Buffer.from(text, 'latin1'), ...SOUND };
}

/** Defects of the whole file. */
function* shapeFiles(style: Style): Generator<DefectFile> {
  const lines = linesOf(style);
  const { delimiter, lineEnd } = style;
  const empties = delimiter.repeat(HEADER.length - 1);
  const whole = (name: string, changed: string[], what: Partial<DefectFile> = {}): DefectFile => ({
    name,
    content: bytesOf(changed, style),
    ...SOUND,
    ...what,
  });
  yield whole('sound', lines);
  yield { name: 'no last line end', content: Buffer.from(lines.join(lineEnd)), ...SOUND };
  for (const count of [1, 2, 5])
    yield whole(`${count} blank lines at the end`, [...lines, ...Array<string>(count).fill('')]);
  for (const count of [1, 2, 5])
    yield whole(`${count} blank lines at the beginning`, [...Array<string>(count).fill(''), ...lines]);
  yield whole(
    'a blank line after every line',
    lines.flatMap((line) => [line, '']),
  );
  yield whole('no header', lines.slice(1), { header: undefined });
  yield whole('only a header', lines.slice(0, 1), { records: [] });
  for (const count of [1, 2, 3])
    yield whole(`${count} rows`, lines.slice(0, count + 1), { records: ROWS.slice(0, count) });
  yield whole(
    'trailing delimiters',
    lines.map((line) => line + delimiter),
  );
  yield whole(
    'trailing delimiters but in the header',
    lines.map((line, i) => (i === 0 ? line : line + delimiter)),
  );
  const titles: [string, string[]][] = [
    ['a title', ['Sales of December']],
    ['a title and a blank line', ['Sales of December', '']],
    ['a title with commas', ['Sales of December, all shops, in EUR']],
    ['titles', ['Sales of December', 'Printed on 2024-01-02', 'By: the office', '', 'Do not copy', '']],
    ['a title as wide as the table', [`Sales of December${empties}`]],
    [
      'titles as wide as the table',
      [
        `Sales of December${empties}`,
        `Printed${delimiter}2024-01-02${delimiter.repeat(HEADER.length - 2)}`,
        empties,
      ],
    ],
    ['keys and values', [`Report${delimiter}Sales`, `Month${delimiter}December`, '']],
    ['comments', ['# Sales of December', '# all shops']],
  ];
  for (const [name, above] of titles) yield whole(`preamble: ${name}`, [...above, ...lines]);
  const total = `Total${delimiter}${delimiter}75${delimiter}${delimiter}276.24${delimiter}`;
  const totalCells = ['Total', '', '75', '', '276.24', ''];
  const below: [string, string[], string[][]][] = [
    ['a note', ['Source: the office'], [['Source: the office']]],
    ['a blank line and a note', ['', 'Source: the office'], [['Source: the office']]],
    ['a total', [total], [totalCells]],
    ['a total and a note', [total, '', '10 rows'], [totalCells, ['10 rows']]],
  ];
  for (const [name, footer, cells] of below) {
    yield whole(`footer: ${name}`, [...lines, ...footer], { records: [...ROWS, ...cells] });
  }
  const second = ['of sale', 'of sale', 'pieces', 'name', 'EUR', 'free text'];
  const third = ['(local)', '(local)', '(net)', '(short)', '(gross)', '(any)'];
  const [first, ...rest] = lines;
  yield whole('header of two rows', [first, lineOf(second, style), ...rest], {
    header: HEADER.map((name, i) => `${name} ${second[i]}`),
  });
  yield whole('header of three rows', [first, lineOf(second, style), lineOf(third, style), ...rest], {
    header: HEADER.map((name, i) => `${name} ${second[i]} ${third[i]}`),
  });
  const others: [string, string[][]][] = [
    [
      'fewer',
      [
        ['shop', 'town'],
        ['North', 'Leeds'],
        ['South', 'Bath'],
      ],
    ],
    [
      'as many',
      [
        ['a', 'b', 'c', 'd', 'e', 'f'],
        ['1', '2', '3', '4', '5', '6'],
      ],
    ],
    [
      'more',
      [
        ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
        ['1', '2', '3', '4', '5', '6', '7'],
      ],
    ],
  ];
  for (const [name, table] of others) {
    for (const gap of [[], ['']]) {
      yield whole(
        `a second table of ${name} columns${gap.length > 0 ? ' after a blank line' : ''}`,
        [...lines, ...gap, ...linesOf(style, table)],
        {
          records: [...ROWS, ...table],
        },
      );
    }
  }
  yield whole(
    'one column',
    linesOf(
      { ...style, quoteAll: false },
      TABLE.map((row) => [row[3]]),
    ).map((line) => line),
    {
      header: [HEADER[3]],
      records: ROWS.map((row) => [row[3]]),
    },
  );
}

/** Defects of one record, the header included. */
function* rowFiles(style: Style): Generator<DefectFile> {
  const lines = linesOf(style);
  const { delimiter } = style;
  for (let at = 0; at < lines.length; at++) {
    const name = (what: string) => `${what} at record ${at}`;
    const changed = (line: string) => bytesOf(lines.with(at, line), style);
    const joined = (end: string) =>
      Buffer.from(lines.map((line, i) => line + (i === at ? end : style.lineEnd)).join(''));
    yield { name: name('LF'), content: joined('\n'), ...SOUND };
    yield { name: name('CRLF'), content: joined('\r\n'), ...SOUND };
    yield { name: name('CR'), content: joined('\r'), ...SOUND };
    yield { name: name('blank line'), content: bytesOf(lines.toSpliced(at, 0, ''), style), ...SOUND };
    yield {
      name: name('all cells quoted'),
      content: changed(TABLE[at].map(quoted).join(delimiter)),
      ...SOUND,
    };
    if (at > 0) {
      yield {
        name: name('repeated header'),
        content: bytesOf(lines.toSpliced(at, 0, lines[0]), style),
        header: HEADER,
        records: ROWS.toSpliced(at - 1, 0, HEADER),
      };
      yield {
        name: name('repeated row'),
        content: bytesOf(lines.toSpliced(at, 0, lines[at]), style),
        header: HEADER,
        records: ROWS.toSpliced(at - 1, 0, ROWS[at - 1]),
      };
    }
    const other = delimiter === ';' ? '|' : ';';
    if (!style.quoteAll && at > 0 && !TABLE[at].some((cell) => /[,;\t]/.test(cell))) {
      yield {
        name: name('another delimiter'),
        content: changed(TABLE[at].join(other)),
        ...SOUND,
      };
    }
  }
}

/** Defects of one cell, those of the header included. */
function* cellFiles(style: Style): Generator<DefectFile> {
  const { delimiter } = style;
  const lines = linesOf(style);
  for (let at = 0; at < TABLE.length; at++) {
    for (let column = 0; column < HEADER.length; column++) {
      const cells = TABLE[at].map((cell) => cellIn(cell, style));
      const text = TABLE[at][column];
      const isQuoted = cells[column].startsWith('"');
      const line = (cell: string) => cells.with(column, cell).join(delimiter);
      const file = (what: string, changed: string, intended: string[]): DefectFile => ({
        name: `${what} at record ${at}, cell ${column}`,
        content: bytesOf(lines.with(at, changed), style),
        header: at === 0 ? intended : HEADER,
        records: at === 0 ? ROWS : ROWS.with(at - 1, intended),
      });
      const own = (value: string) => TABLE[at].with(column, value);
      yield file('extra delimiter', line(cells[column] + delimiter), TABLE[at].toSpliced(column + 1, 0, ''));
      if (!isQuoted && column + 1 < HEADER.length && !cells[column + 1].startsWith('"')) {
        const merged = TABLE[at].toSpliced(column, 2, text + TABLE[at][column + 1]);
        yield file(
          'missing delimiter',
          cells.toSpliced(column, 2, cells[column] + cells[column + 1]).join(delimiter),
          merged,
        );
      }
      if (!isQuoted) {
        yield file('white space around', line(`  ${text} `), own(`  ${text} `));
        yield file('NUL', line(`${text}\0`), own(`${text}\0`));
        if (text !== '') {
          const middle = text.length >> 1;
          yield file('quote at the end', line(`${text}"`), own(`${text}"`));
          yield file(
            'quote in the middle',
            line(`${text.slice(0, middle)}"${text.slice(middle)}`),
            own(`${text.slice(0, middle)}"${text.slice(middle)}`),
          );
          yield file('quote at the beginning', line(`"${text}`), own(`"${text}`));
        }
      } else if (text.length > 1 && !text.includes('"')) {
        const middle = text.length >> 1;
        const broken = `${text.slice(0, middle)}"${text.slice(middle)}`;
        // A quote before a delimiter would close the cell.
        if (!text.slice(middle).startsWith(delimiter))
          yield file('quote in a quoted cell', line(`"${broken}"`), own(broken));
        yield file(
          'backslash before a quote',
          line(`"${text.slice(0, middle)}\\"${text.slice(middle)}"`),
          own(broken),
        );
      }
      yield file('line break', line(quoted(`${text}\n2nd`)), own(`${text}\n2nd`));
      yield file('two line breaks', line(quoted(`${text}\n\n3rd`)), own(`${text}\n\n3rd`));
      yield file('delimiter inside', line(quoted(`${text}${delimiter}x`)), own(`${text}${delimiter}x`));
      yield file('quotes inside', line(quoted(`${text} "x"`)), own(`${text} "x"`));
      yield file('nothing', line(''), own(''));
      if (at > 0) yield badByte(style, at, column);
    }
  }
}

/** A byte that is no UTF-8 in a file that is UTF-8 otherwise. */
function badByte(style: Style, at: number, column: number): DefectFile {
  const table = TABLE.with(at, TABLE[at].with(column, `${TABLE[at][column]}\u0001`));
  const content = Buffer.from(bytesOf(linesOf(style, table), style));
  content[content.indexOf(1)] = 0xff;
  return {
    name: `bad byte at record ${at}, cell ${column}`,
    content,
    header: HEADER,
    records: ROWS.toSpliced(at - 1, 1),
    irregularLines: [at + 1],
  };
}
