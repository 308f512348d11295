import { describe, expect, it } from 'vitest';
import { formatResult } from '../../src/cli/result-format.js';
import { textTable } from '../../src/cli/table.js';

describe('a table of text', () => {
  it('aligns columns under their titles', () => {
    const columns = [
      { title: 'name', align: 'left' as const },
      { title: 'n', align: 'right' as const },
    ];
    expect(
      textTable(columns, [
        ['a', '1'],
        ['longer', '22'],
      ]),
    ).toEqual(['name     n', '------  --', 'a        1', 'longer  22']);
  });

  it('stays aligned with wide, combining and control characters', () => {
    const columns = ['a', 'b'].map((title) => ({ title, align: 'left' as const }));
    const cells = ['日本', 'e\u0301', '\u001b[31m', 'x\ny'];
    expect(
      textTable(
        columns,
        cells.map((cell) => [cell, '|']),
      ),
    ).toEqual([
      'a           b',
      '----------  -',
      '日本        |',
      'e\u0301           |',
      '\\u001b[31m  |',
      'x\\ny        |',
    ]);
  });

  it('shows titles alone when there are no rows', () => {
    expect(textTable([{ title: 'a', align: 'left' }], [])).toEqual(['a', '-']);
  });
});

const RESULT = {
  columns: ['n', 'text', 'big', 'n'],
  rows: [
    [1, 'a "b", c', 9007199254740993n, null],
    [null, '', -1, true],
    [2.5, 'x\ny', 0, Uint8Array.of(0, 255)],
  ],
};

describe('the result of a query', () => {
  const lines = (format: 'table' | 'csv' | 'json', result = RESULT) => [...formatResult(result, format)];

  it('as a table has numbers at the right and shows NULL', () => {
    expect(lines('table')).toEqual([
      '   n  text                   big  n',
      '----  --------  ----------------  ------',
      '   1  a "b", c  9007199254740993  NULL',
      'NULL                          -1  true',
      ' 2.5  x\\ny                     0  \\x00ff',
    ]);
  });

  it('as CSV follows RFC 4180 and tells NULL from an empty text', () => {
    expect(lines('csv')).toEqual([
      'n,text,big,n\r',
      '1,"a ""b"", c",9007199254740993,\r',
      ',"",-1,true\r',
      '2.5,"x\ny",0,\\x00ff\r',
    ]);
  });

  it('as JSON is one array, loses no digit and no column of a doubled name', () => {
    expect(JSON.parse(lines('json').join('\n'))).toEqual([
      { n: 1, text: 'a "b", c', big: '9007199254740993', n_2: null },
      { n: null, text: '', big: -1, n_2: true },
      { n: 2.5, text: 'x\ny', big: 0, n_2: '\\x00ff' },
    ]);
  });

  it('as JSON without rows, and with numbers that JSON has not', () => {
    expect(JSON.parse(lines('json', { columns: ['a'], rows: [] }).join('\n'))).toEqual([]);
    const odd = { columns: ['a', 'b'], rows: [[Number.NaN, Number.NEGATIVE_INFINITY]] };
    expect(JSON.parse(lines('json', odd as never).join('\n'))).toEqual([{ a: 'NaN', b: '-Infinity' }]);
  });
});
