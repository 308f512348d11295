import { describe, expect, it } from 'vitest';
import type { CellSource } from '../../src/base/cells.js';
import { parseSqlType } from '../../src/base/sql-type.js';
import { physicalOf, Vector } from '../../src/base/vector.js';
import { plainReaderFor } from '../../src/pipeline/plain-reader.js';
import { cellsOf } from '../helpers/cells.js';

const read = plainReaderFor({
  spec: { name: 'v', type: parseSqlType('INTEGER')!, nullable: false },
  case: 'lower',
  nullTokens: ['', '-1'],
})!;

/** Where the reader stops, one stop after the other, as one goes on behind each of them. */
function stopsIn(source: CellSource, to: number): number[] {
  const stops: number[] = [];
  for (let from = 0; from < to; from = stops.at(-1)! + 1) {
    stops.push(read(new Vector('int32'), source, { from, to }));
  }
  return stops;
}

describe('the plain reader of a column', () => {
  it('stops at tokens and at what is not plain, wherever they are', () => {
    for (const places of [[0], [15, 16, 17], [79, 80, 81, 299], [40, 200]]) {
      for (const odd of ['', '-1', ' 7', 'x']) {
        const texts = Array.from({ length: 300 }, (_, i) => (places.includes(i) ? odd : '7'));
        const expected = places.includes(299) ? places : [...places, 300];
        expect(stopsIn(cellsOf(texts), 300)).toEqual(expected);
      }
    }
  });

  it('looks at no cell again and again where all of them make it stop', () => {
    for (const text of [' 7', '-1', 'x']) {
      const cells = cellsOf(Array.from({ length: 2000 }, () => text));
      let looks = 0;
      const ends = new Proxy(cells.ends, {
        get(target, key) {
          looks++;
          return Reflect.get(target, key);
        },
      });
      const source = { bytes: cells.bytes, view: cells.view, starts: cells.starts, ends };
      expect(stopsIn(source, 2000)).toHaveLength(2000);
      expect(looks).toBeLessThan(2000 * 40);
    }
  });

  it('stops at a token that could be a value of the type, in whatever letter case it is declared', () => {
    const cases = [
      { type: 'DOUBLE', token: '0.0' },
      { type: 'DATE', token: '9999-12-31' },
      { type: 'TIMESTAMP', token: '1900-01-01t00:00:00z' },
      { type: 'UUID', token: 'FFFFFFFF-ffff-ffff-ffff-ffffffffffff' },
    ];
    for (const { type, token } of cases) {
      const spec = { name: 'v', type: parseSqlType(type)!, nullable: false };
      const stops = (nullTokens: string[]) =>
        [token.toLowerCase(), token.toUpperCase(), token].map((text) =>
          plainReaderFor({ spec, case: 'lower', nullTokens })!(
            new Vector(physicalOf(spec.type)),
            cellsOf([text]),
            { from: 0, to: 1 },
          ),
        );
      expect(stops(['na', 'null', token])).toEqual([0, 0, 0]);
      expect(stops(['na', 'null'])).toEqual([1, 1, 1]);
    }
  });
});
