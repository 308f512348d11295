import { describe, expect, it } from 'vitest';
import type { CellSource } from '../../src/base/cells.js';
import { parseSqlType } from '../../src/base/sql-type.js';
import { Vector } from '../../src/base/vector.js';
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
});
