import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../src/read/dialect.js';
import { type Case, scanAll } from '../read/scanning.js';

const delimiters = fc.constantFrom(',', ';', '\t', '|', ':', ' ');
const quotes = fc.constantFrom('"', "'");
const lineEnds = fc.constantFrom('\n', '\r\n', '\r');
const windows = fc.constantFrom(1, 2, 3, 7, 16, 64, 1000);

/** Texts made of the bytes that matter, and a few that do not. */
const difficultText = fc
  .array(
    fc.constantFrom(
      '"',
      '"',
      "'",
      ',',
      ';',
      '\t',
      '|',
      ':',
      ' ',
      '\n',
      '\r\n',
      '\r',
      'a',
      'b',
      'é',
      '漢',
      '0',
      '',
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

/** The answer of csv-parse, or undefined when it refuses the text. */
function reference(text: string, { dialect, width }: Case): string[][] | undefined {
  try {
    return parse(text, {
      delimiter: dialect.delimiter,
      quote: dialect.quote === '' ? false : dialect.quote,
      escape: dialect.quote === '' ? null : dialect.quote,
      record_delimiter: dialect.loneCrEnds ? ['\r\n', '\n', '\r'] : ['\r\n', '\n'],
      skip_empty_lines: width > 1,
      bom: false,
    });
  } catch {
    return undefined;
  }
}

describe('the scanner', () => {
  it('reads what csv-parse reads, for any window', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        difficultText,
        delimiters,
        fc.constantFrom('"', "'", ''),
        fc.boolean(),
        windows,
        fc.integer({ min: 1, max: 3 }),
        (text, delimiter, quote, loneCrEnds, windowBytes, width) => {
          const options = {
            dialect: { delimiter, quote, loneCrEnds, escape: 'double' as const },
            width,
            windowBytes,
          };
          const expected = reference(text, options);
          fc.pre(expected?.every((row) => row.length === width) ?? false);
          accepted++;
          const scanned = scanAll(text, options);
          expect(scanned.rows).toEqual(expected);
          expect(scanned.rawIrregular).toEqual([]);
        },
      ),
      { numRuns: 3000 },
    );
    expect(accepted).toBe(3000);
  });

  it('reads every table that was written by the rules, for any window and either mode', () => {
    const longText = fc
      .tuple(difficultText, fc.integer({ min: 10, max: 60 }))
      .map(([text, times]) => text.repeat(times));
    const cell = fc.oneof(
      { weight: 3, arbitrary: difficultText },
      { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
      { weight: 1, arbitrary: longText },
    );
    const tables = fc
      .integer({ min: 1, max: 5 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
      );
    fc.assert(
      fc.property(
        tables,
        delimiters,
        quotes,
        lineEnds,
        windows,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        (table, delimiter, quote, lineEnd, windowBytes, lastEnd, plain, maxRows) => {
          const dialect = { delimiter, quote, loneCrEnds: lineEnd === '\r', escape: 'double' as const };
          const lines = table.map((row) => row.map((text) => quoted(text, dialect)).join(delimiter));
          const text = lines.join(lineEnd) + (lastEnd ? lineEnd : '');
          const width = table[0].length;
          const scanned = scanAll(text, { dialect, width, windowBytes, plain, maxRows });
          expect(scanned.rows).toEqual(table.map((row) => row.map((value) => value.toWellFormed())));
          expect(scanned.rawRows).toEqual(lines.map((line) => line.toWellFormed()));
          expect(scanned.lines).toEqual(linesOf(lines, lineEnd));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('reads every table of an unusual dialect, for any window', () => {
    const text = fc.array(fc.constantFrom('"', '\\', ', ', ',', ' ', '~', '\n', 'a', 'b', 'é', '::', ':'), {
      maxLength: 12,
    });
    const cell = text.map((parts) => parts.join(''));
    const row = fc.tuple(cell, cell, cell);
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(', ', ',', '::', '§', '\x01'),
        fc.constantFrom('backslash' as const, 'double' as const),
        fc.constantFrom('\n', '\r\n'),
        windows,
        fc.boolean(),
        (table, delimiter, way, lineEnd, windowBytes, plain) => {
          const dialect = { delimiter, quote: '"', escape: way, loneCrEnds: false };
          const lines = table.map((cells) => cells.map((value) => written(value, dialect)).join(delimiter));
          const scanned = scanAll(lines.join(lineEnd) + lineEnd, { dialect, width: 3, windowBytes, plain });
          expect(scanned.rawIrregular).toEqual([]);
          expect(scanned.rows).toEqual(table);
          expect(scanned.rawRows).toEqual(lines);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('accounts for every byte of any text, and gives the same for any window', () => {
    const texts = fc.oneof(
      difficultText,
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(
        texts,
        delimiters,
        fc.constantFrom('"', "'", ''),
        fc.boolean(),
        windows,
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.boolean(),
        (text, delimiter, quote, loneCrEnds, windowBytes, width, plain, keepRagged) => {
          const options = {
            dialect: { delimiter, quote, loneCrEnds, escape: 'double' as const },
            width,
            keepRagged,
          };
          const whole = scanAll(text, { ...options, windowBytes: Math.max(1, text.length * 3) });
          const pieces = scanAll(text, { ...options, windowBytes, plain });
          expect(pieces).toEqual(whole);
          expect(scanAll(text, { ...options, windowBytes, general: true })).toEqual(whole);
          const records = [...whole.rawRows, ...whole.rawIrregular, ...whole.rawNotes].join('');
          expect(sortedBytes(records.replace(/[\r\n]/g, ''))).toEqual(
            sortedBytes(text.replace(/[\r\n]/g, '')),
          );
          expect(whole.lineBreaks).toBeLessThanOrEqual(countBreaks(text) + 1);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('keeps every cell of ragged rows when it is to rescue them', () => {
    const plainCell = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '1', 'é'),
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        fc.array(fc.array(plainCell, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 }),
        windows,
        fc.boolean(),
        (table, windowBytes, plain) => {
          const width = 3;
          const text = table.map((row) => row.join(',')).join('\n');
          const dialect = { delimiter: ',', quote: '"', loneCrEnds: false, escape: 'double' as const };
          const scanned = scanAll(text, { dialect, width, windowBytes, plain, keepRagged: true });
          expect(scanned.rawIrregular).toEqual([]);
          const padded = table.map((row) => [...row, '', '', ''].slice(0, width));
          expect(scanned.rows).toEqual(padded);
          const surplus = table.map((row) => (row.length > width ? row.slice(width) : undefined));
          expect(scanned.surplus).toEqual(surplus);
        },
      ),
    );
  });

  it('has room for a mended record wherever it stands', () => {
    const dialect = { delimiter: ',', quote: '"', loneCrEnds: false, escape: 'double' as const };
    const lines = Array.from({ length: 5000 }, (_, i) => (i % 1024 === 0 ? `"${i}"x,b` : `${i},b`));
    for (const general of [true, false]) {
      const options = { dialect, width: 2, windowBytes: 1 << 20, keepRagged: true, general };
      const { rows, rawRows } = scanAll(lines.join('\n'), options);
      expect(rawRows).toEqual(lines);
      expect(rows.map(([first]) => Number.parseInt(first.replaceAll('"', ''), 10))).toEqual([
        ...lines.keys(),
      ]);
    }
  });

  it('charges a misplaced quote and a ragged record to their own line only', () => {
    const row = fc.constantFrom('a,b,c', '1,"x,y",3', ',,', '"p","q","r"');
    const bad = fc.constantFrom('a,b', 'a,b,c,d', '"a"x,b,c', 'a,"b" ,c', 'a,"b"c"');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(row, bad), { minLength: 1, maxLength: 12 }),
        windows,
        (lines, windowBytes) => {
          const isBad = (line: string) => /^(a,b|a,b,c,d|"a"x,b,c|a,"b" ,c|a,"b"c")$/.test(line);
          const dialect = { delimiter: ',', quote: '"', loneCrEnds: false, escape: 'double' as const };
          const scanned = scanAll(lines.join('\n'), { dialect, width: 3, windowBytes });
          expect(scanned.rawIrregular).toEqual(lines.filter(isBad));
          expect(scanned.rawRows).toEqual(lines.filter((line) => !isBad(line)));
          expect(scanned.lines).toEqual(lines.flatMap((line, i) => (isBad(line) ? [] : [i])));
          expect(scanned.irregularLines).toEqual(lines.flatMap((line, i) => (isBad(line) ? [i] : [])));
        },
      ),
    );
  });
});

function quoted(text: string, { delimiter, quote }: Dialect): string {
  if (text === '') return `${quote}${quote}`;
  if (![delimiter, quote, '\n', '\r'].some((special) => text.includes(special))) return text;
  return quote + text.replaceAll(quote, quote + quote) + quote;
}

/** A cell in any dialect, always quoted, because delimiters of two characters can come about between cells. */
function written(text: string, dialect: Dialect): string {
  if (dialect.escape === 'double') return `"${text.replaceAll('"', '""')}"`;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Line of each record; the line ends inside quotes that count are those that end lines in this file. */
function linesOf(records: string[], lineEnd: string): number[] {
  let line = 0;
  return records.map((record) => {
    const at = line;
    const inner = lineEnd === '\r' ? record.match(/\r\n|\n|\r/g) : record.match(/\n/g);
    line += 1 + (inner?.length ?? 0);
    return at;
  });
}

function countBreaks(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

function sortedBytes(text: string): string {
  return [...text].sort().join('');
}
