import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../helpers/temp-dir.js';
import { type ReadWishes, readBytes } from './reading.js';

const folder = tempDir();
const RESCUE = { keepRagged: true, mendHeader: true };
const HEAD = 'id,name,born,price\n1,Ann,2001-02-03,1.50\n2,Bob,2002-03-04,2.25\n';
const TAIL = '8,Eve,2003-04-05,3.75\n9,Joe,2004-05-06,4.10\n';

/** All cells of the records between HEAD and TAIL. */
async function between(text: string, wishes: ReadWishes = RESCUE): Promise<string[][]> {
  const { rows } = await readBytes(folder, HEAD + text + TAIL, wishes);
  return rows.slice(2, -2).map(({ cells, surplus }) => [...cells, ...(surplus ?? [])]);
}

describe('a record that breaks the rules of its file', () => {
  const intended = ['5', 'Li, Wei', '2005-06-07', '7.00'];
  it.each([
    ['another delimiter', '5;Li, Wei;2005-06-07;7.00'],
    ['spaces for delimiters', '5 "Li, Wei" 2005-06-07 7.00'],
    ['another quote', "5,'Li, Wei',2005-06-07,7.00"],
    ['no closing quote', '5,"Li, Wei,2005-06-07,7.00'],
    ['no opening quote', '5,Li, Wei",2005-06-07,7.00'],
    ['a blank behind the closing quote', '5,"Li, Wei" ,2005-06-07,7.00'],
  ])('is mended where that gives just the columns: %s', async (_, line) => {
    expect(await between(`${line}\n`)).toEqual([intended]);
  });

  it.each([
    ['another delimiter', '5;Li;2005-06-07;7.00'],
    ['no opening quote', '5,Li, Wei",2005-06-07,7.00'],
    ['no closing quote', '5,"Li, Wei,2005-06-07,7.00'],
  ])('is told, not mended, unless ragged records are to be rescued: %s', async (_, line) => {
    const { rows, irregular } = await readBytes(folder, `${HEAD}${line}\n${TAIL}`);
    expect(rows).toHaveLength(4);
    expect(irregular.map(({ raw }) => raw)).toEqual([line]);
  });

  it('stays as it is where its cells are none of the table', async () => {
    for (const line of ['Prices of all shops', 'a;b;c;d', 'see also: shops, towns']) {
      expect((await between(`${line}\n`)).flat().filter((cell) => cell !== '')).toEqual(line.split(','));
    }
  });

  it('keeps the lines of its cells together', async () => {
    const text = '5,"first, line\nof a, note, that\nends, here",2005-06-07,7.00,surplus\n';
    expect(await between(text)).toEqual([
      ['5', 'first, line\nof a, note, that\nends, here', '2005-06-07', '7.00', 'surplus'],
    ]);
  });

  it('takes in no records of their own', async () => {
    const lines = '5,"Li,2005-06-07,7.00\n6,Max,2006-07-08,8.00\n7,Mo,2007-08-09",9.00\n';
    const records = await between(lines);
    expect(records.map(([id]) => id)).toEqual(['5', '6', '7']);
  });
});

it('rescues every cell of records of any width, as it was written', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r\n'), maxLength: 8 });
  const record = fc
    .array(cell, { minLength: 1, maxLength: 5 })
    .filter((cells) => cells.join('').trim() !== '');
  const written = (cells: string[]) => cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 6 }), async (records) => {
      const sound = Array.from({ length: 20 }, (_, i) => `a${i},b${i}`);
      const text = ['x,y', ...sound, ...records.map(written)].join('\n');
      const wishes = { ...RESCUE, header: 'present', delimiter: ',', quote: '"', escape: 'double' } as const;
      const { rows } = await readBytes(folder, text, wishes);
      const read = rows.slice(sound.length).map(({ cells, surplus }) => [...cells, ...(surplus ?? [])]);
      expect(read).toEqual(records.map((cells) => [...cells, ...['', ''].slice(cells.length)]));
    }),
    { numRuns: 400 },
  );
});
