import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Dialect } from '../../src/read/dialect.js';
import { makeScanner } from '../../src/read/make-scanner.js';
import { ScanKernel } from '../../src/read/scan-kernel.js';
import { type ScannerOptions, SENTINEL_BYTES } from '../../src/read/scanner.js';
import { cellText } from './reading.js';
import { type Case, scanAll } from './scanning.js';

/*
 * The kernel takes text in blocks of 64 bytes and chunks of 64 KB, and stops at what is not regular. Texts here are long enough to
 * cross those bounds in many ways; what is read must be what the general scanner reads, which knows nothing of them.
 */

afterEach(() => {
  vi.restoreAllMocks();
});

const COMMA: Dialect = { delimiter: ',', quote: '"', escape: 'double', loneCrEnds: false };
const LONG = 'a longer text that is not kept in a slot of a table but beside it';

/** Numbers below `n`, the same ones for the same seed. */
function randomOf(seed: number): (n: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

interface TableShape {
  dialect: Dialect;
  width: number;
  rows: number;
  lineEnd: string;
  /** One record in so many breaks some rule. */
  oddOneIn: number;
  trailing: number;
}

/** A table whose columns are few words, numbers, long texts, and texts with everything in them that has to be quoted. */
function textOf(seed: number, { dialect, width, rows, lineEnd, oddOneIn, trailing }: TableShape): string {
  const random = randomOf(seed);
  const { delimiter, quote } = dialect;
  const needsQuotes = [delimiter, quote, lineEnd, '\n', quote + quote, `${delimiter}${quote}`];
  const values = [
    () => ['yes', 'no', '', 'GP', 'services', 'at_home!'][random(6)],
    () => String(random(1000)),
    () => `${LONG} ${random(50)}`.slice(random(LONG.length)),
    () => `x${random(5)}\u00e9${'\u0000'.repeat(random(3))}\u0007`,
    () => (quote === '' ? 'plain' : `${random(9)}${needsQuotes[random(6)]}${random(9)}`),
  ];
  const kinds = Array.from({ length: width }, () => values[random(values.length)]);
  const written = (text: string) => {
    if (quote === '') return text;
    const must = text.includes(delimiter) || text.includes(quote) || /[\r\n]/.test(text);
    return must || random(3) === 0 ? quote + text.replaceAll(quote, quote + quote) + quote : text;
  };
  const odd = [
    '',
    `only${delimiter}two`,
    kinds.map(() => 'x').join(delimiter) + delimiter,
    `${quote}a${quote}b${delimiter}c`,
    `a${quote}b${kinds.map(() => delimiter).join('')}`,
    kinds.map(() => `5${quote}`).join(delimiter),
    kinds.map(() => `${quote}a${quote}\rb`).join(delimiter),
    `\r${kinds.map(() => 'cr\rin').join(delimiter)}`,
  ];
  const lines = Array.from({ length: rows }, () => {
    if (oddOneIn > 0 && random(oddOneIn) === 0) return odd[random(odd.length)];
    return kinds.map((value) => written(value())).join(delimiter) + delimiter.repeat(random(trailing + 1));
  });
  return lines.join(lineEnd) + (random(2) === 0 ? lineEnd : '');
}

describe('the records that the kernel takes', () => {
  it('are read as the general scanner reads them, across blocks, chunks, batches and windows', () => {
    let rows = 0;
    fc.assert(
      fc.property(
        fc.integer(),
        fc.record({
          delimiter: fc.constantFrom(',', ';', '\t'),
          quote: fc.constantFrom('"', '"', "'", ''),
        }),
        fc.record({
          width: fc.integer({ min: 1, max: 12 }),
          rows: fc.constantFrom(5, 100, 1500),
          lineEnd: fc.constantFrom('\n', '\r\n'),
          oddOneIn: fc.constantFrom(0, 0, 3, 100),
          trailing: fc.constantFrom(0, 0, 0, 2),
        }),
        fc.record({
          windowBytes: fc.constantFrom(997, 40_000, 1 << 20),
          maxRows: fc.constantFrom(7, 300, 1 << 16),
          plain: fc.constantFrom(true, false, [0, 2, 5]),
          keepRagged: fc.boolean(),
        }),
        (seed, { delimiter, quote }, shape, how) => {
          const dialect: Dialect = { ...COMMA, delimiter, quote };
          const text = textOf(seed, { dialect, ...shape });
          const options: Case = { dialect, width: shape.width, trailingDelimiters: shape.trailing, ...how };
          const scanned = scanAll(text, options);
          rows += scanned.rows.length;
          expect(scanned).toEqual(scanAll(text, { ...options, general: true }));
        },
      ),
      { numRuns: 120 },
    );
    expect(rows).toBeGreaterThan(1000);
  });

  it('are most of a file: of a regular one, the other scanner sees nothing', () => {
    const scan = vi.spyOn(ScanKernel.prototype, 'scan');
    const dialect: Dialect = { ...COMMA, delimiter: ';' };
    const shape = { dialect, width: 9, rows: 3000, lineEnd: '\r\n', oddOneIn: 0, trailing: 1 };
    const text = `${textOf(3, shape).trimEnd()}\r\n`;
    const { rows } = scanAll(text, { dialect, width: 9, trailingDelimiters: 1, windowBytes: 1 << 20 });
    expect(rows.length).toBe(3000);
    const taken = scan.mock.results.reduce((sum, { value }) => sum + value, 0);
    expect(taken).toBe(Buffer.byteLength(text));
  });

  it('are not the header, whose repetition is passed over, with a byte order mark as well', () => {
    const header = 'name,value';
    const lines = [...'abcdefg'].flatMap((name, i) => [
      `${name},${i}`,
      ...(i % 3 === 0 ? [header] : []),
      ...(i === 4 ? [`\ufeff${header}`, 'nome,value'] : []),
    ]);
    const options: Case = {
      dialect: COMMA,
      width: 2,
      headerLine: Buffer.from(header),
      windowBytes: 1 << 16,
    };
    const scanned = scanAll(lines.join('\n'), options);
    expect(scanned).toEqual(scanAll(lines.join('\n'), { ...options, general: true }));
    expect(scanned.rows.map(([name]) => name).join(' ')).toBe('a b c d e nome f g');
    expect(scanned.rawNotes).toEqual([header, header, `\ufeff${header}`, header]);
    const long = { ...options, headerLine: Buffer.from(`${header},`.repeat(2000)) };
    const text = [...lines, `${header},`.repeat(2000), 'z,9'].join('\n');
    expect(scanAll(text, long)).toEqual(scanAll(text, { ...long, general: true }));
  });

  it('have no byte in them that cannot be decoded', () => {
    const lines = Array.from({ length: 400 }, (_, i) => `row,${i}`);
    const text = lines.join('\n');
    const undecodable = [text.indexOf('row,17\n') + 5, text.indexOf('row,200'), text.indexOf('row,399')];
    const scanned = scanAll(text, { dialect: COMMA, width: 2, windowBytes: 1 << 16, undecodable });
    expect(scanned.rawIrregular).toEqual(['row,17', 'row,200', 'row,399']);
    expect(scanned.rows.length).toBe(397);
  });

  it('may be longer than its memory, or follow one that is', () => {
    const huge = 'x'.repeat(200_000);
    const text = ['a,b', `${huge},c`, 'd,e', `"${huge}\n",f`, 'g,h'].join('\n');
    for (const plain of [true, false]) {
      const { rows, lines } = scanAll(text, { dialect: COMMA, width: 2, windowBytes: 1 << 20, plain });
      expect(rows.map(([, second]) => second)).toEqual(['b', 'c', 'e', 'f', 'h']);
      expect(lines).toEqual([0, 1, 2, 3, 5]);
    }
  });
});

describe('the numbers that the kernel gives to values', () => {
  const options: ScannerOptions = {
    dialect: COMMA,
    wanted: [true, false, true],
    maxRows: 1 << 16,
    keepRagged: false,
  };

  /** Scans lines in one batch, and answers the cells of the wanted columns as they come out. */
  function scanLines(scanner: ReturnType<typeof makeScanner>, lines: string[]): string[][] {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const window = new Uint8Array(bytes.length + SENTINEL_BYTES);
    window.set(bytes);
    let from = 0;
    const rows: string[][] = [];
    while (from < bytes.length) {
      const next = scanner.scan(window, from, bytes.length, true);
      expect(next).toBeGreaterThan(from);
      from = next;
      for (let row = 0; row < scanner.rowCount; row++)
        rows.push([cellText(scanner.columns[0], row), cellText(scanner.columns[2], row)]);
    }
    return rows;
  }

  it('tell values apart that look alike in a slot of the table', () => {
    const values = [
      ...['', '\u0000', '\u0000\u0000', 'abc', 'abc\u0000', 'abcdefg', 'abcdefg\u0000'],
      ...Array.from({ length: 12 }, (_, byte) => `abcdefg${String.fromCharCode(byte + (byte > 9 ? 1 : 0))}`),
      ...['abcdefgh', 'abcdefghi', 'bbcdefghi', 'abcdefgh12345678', 'abcdefgh12345679', LONG, `${LONG}!`],
      ...['x'.repeat(1023), 'x'.repeat(1024), 'x'.repeat(1025), `${'x'.repeat(1024)}y`],
    ].filter((value) => !/[\n,]/.test(value));
    const lines = [...values, ...values.toReversed(), ...values].map((value) => `${value},-,"${value}"`);
    const scanner = makeScanner(options);
    expect(scanLines(scanner, lines)).toEqual(lines.map((line) => [line.split(',')[0], line.split(',')[0]]));
    expect(scanner.columns[0].dictionary?.count).toBe(new Set(values).size);
  });

  it('stay right while tables grow past what they may hold, and memory is moved', () => {
    const scanner = makeScanner(options);
    const lines = Array.from({ length: 60_000 }, (_, i) => `${i},-,${LONG} ${i % 45_000}`);
    for (let round = 0; round < 2; round++) {
      const rows = scanLines(scanner, lines);
      expect(rows.length).toBe(lines.length);
      expect(rows.every(([first, third], i) => lines[i] === `${first},-,${third}`)).toBe(true);
    }
    expect(scanner.columns[0].dictionary?.count).toBe(60_000);
    expect(scanner.columns[2].dictionary?.count).toBe(45_000);
  });

  it('stay right when the kernel has no more room for values, nor for the table of one more column', () => {
    const scanner = makeScanner(options);
    const long = (i: number) => `${i}`.padEnd(900, 'x');
    const lines = Array.from({ length: 24_000 }, (_, i) => `${i % 7},-,${long(i)}`);
    const expected = lines.map((line) => line.split(',-,'));
    scanner.columns[0].becomePlain();
    expect(scanLines(scanner, lines)).toEqual(expected);
    scanner.columns[0].becomeDictionary();
    expect(scanLines(scanner, lines)).toEqual(expected);
    expect(scanner.columns.map(({ dictionary }) => dictionary?.count)).toEqual([7, undefined, 24_000]);
  });

  it('are forgotten with the dictionary, and begun anew with the next one', () => {
    const scanner = makeScanner(options);
    const lines = (prefix: string) =>
      Array.from({ length: 500 }, (_, i) => `${prefix}${i % 7},-,${prefix}${i % 3}`);
    const expected = (prefix: string) => lines(prefix).map((line) => line.split(',-,'));
    expect(scanLines(scanner, lines('a'))).toEqual(expected('a'));
    scanner.columns[0].becomePlain();
    expect(scanLines(scanner, lines('b'))).toEqual(expected('b'));
    scanner.columns[0].becomeDictionary();
    scanner.columns[2].becomeDictionary();
    expect(scanLines(scanner, lines('c'))).toEqual(expected('c'));
    expect(scanner.columns.map(({ dictionary }) => dictionary?.count)).toEqual([7, undefined, 3]);
  });

  it('come from the dictionary alone where the system has no memory for a kernel, or none any more', () => {
    const shape = { dialect: COMMA, width: 7, rows: 800, lineEnd: '\n', oddOneIn: 50, trailing: 0 };
    const text = textOf(11, shape);
    const check = () => {
      for (const plain of [true, false, [1, 2]]) {
        const how: Case = { dialect: COMMA, width: 7, windowBytes: 10_000, plain };
        expect(scanAll(text, how)).toEqual(scanAll(text, { ...how, general: true }));
      }
    };
    const open = vi.spyOn(ScanKernel, 'open').mockReturnValue(undefined);
    check();
    expect(open).toHaveBeenCalled();
    open.mockRestore();
    const makeRoom = ScanKernel.prototype.makeRoom;
    for (const grantedRounds of [0, 1, 5]) {
      let calls = 0;
      vi.spyOn(ScanKernel.prototype, 'makeRoom').mockImplementation(function (this: ScanKernel, rows) {
        return calls++ < grantedRounds ? makeRoom.call(this, rows) : 'refused';
      });
      check();
      vi.restoreAllMocks();
    }
  });
});
