import { expect, it } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import { copyText } from '../../src/load/parquet-source.js';
import type { ConvertedFile } from '../../src/pipeline/convert-file.js';
import { type RowsText, type TextRange, TextRooms } from '../../src/pipeline/rows-text.js';
import { bytesOf, copyTextIn } from '../load/support/copy.js';
import { Workshop } from './workshop.js';

const CONFIG = 'events: { files: "*", columns: { id: INTEGER, name: { type: TEXT, nullable: true } } }';
const COLUMNS = [
  { name: 'id', type: parseSqlType('INTEGER')! },
  { name: 'name', type: parseSqlType('TEXT')! },
];

/** Converts files as one task that has room for so many bytes of text. */
async function converted(files: Record<string, string>, { roomBytes = 1000, rowGroupRows = 100 } = {}) {
  const workshop = await Workshop.open({ config: CONFIG });
  const room = new Uint8Array(roomBytes);
  Object.assign(workshop.context, {
    rowGroupRows,
    rowTargets: { events: { columns: COLUMNS, dialect: 'postgres' } },
    textRoom: { bytes: room, at: 0 },
  });
  const results: ConvertedFile[] = [];
  for (const [name, content] of Object.entries(files)) {
    const result = await workshop.convert(workshop.drop(name, content));
    if (result.status === 'converted') results.push(result);
  }
  const texts = results.map(({ textRange }) => textRange && textIn(room, textRange));
  return { results, texts };
}

function textIn(room: Uint8Array, { start, end }: { start: number; end: number }): string {
  return Buffer.from(room.subarray(start, end)).toString();
}

it('is made of small files, one behind the other, as it would be decoded from their Parquet files', async () => {
  const { results, texts } = await converted({
    'a.csv': 'id,name\n1,one\n2,\n2,\n',
    'bad.csv': 'id\n1\n',
    'b.csv': 'id,name\n3,three\n3,three\n4,four\n',
  });
  expect(texts).toEqual(['1\tone\n2\t\\N\n', '3\tthree\n4\tfour\n']);
  expect(results[1].textRange!.start).toBe(results[0].textRange!.end);
  for (const [i, { parquetTemp }] of results.entries()) {
    const pieces = copyText({ paths: [parquetTemp!], columns: COLUMNS, dialect: 'postgres' });
    expect(await copyTextIn(bytesOf(pieces))).toBe(texts[i]);
  }
});

it('is not made of a file for which there is no room left, but of the next one', async () => {
  const files = {
    'a.csv': 'id,name\n1,one\n',
    'b.csv': 'id,name\n2,longer than that\n',
    'c.csv': 'id,name\n3,three\n',
  };
  const { texts } = await converted(files, { roomBytes: 14 });
  expect(texts).toEqual(['1\tone\n', undefined, '3\tthree\n']);
});

it('is not made of a file of several row groups', async () => {
  const { texts } = await converted({ 'a.csv': 'id,name\n1,one\n2,two\n3,three\n' }, { rowGroupRows: 2 });
  expect(texts).toEqual([undefined]);
});

it('is not made where nothing is loaded', async () => {
  const workshop = await Workshop.open({ config: CONFIG });
  Object.assign(workshop.context, { textRoom: { bytes: new Uint8Array(100), at: 0 } });
  const result = await workshop.convert(workshop.drop('a.csv', 'id,name\n1,one\n'));
  expect(result).toMatchObject({ status: 'converted', textRange: undefined });
});

const MEGABYTE = 1 << 20;

/** As many rooms of that size as there are. */
function lendAll(rooms: TextRooms, bytes: number): SharedArrayBuffer[] {
  const lent: SharedArrayBuffer[] = [];
  for (let room = rooms.lend(bytes); room; room = rooms.lend(bytes)) lent.push(room);
  return lent;
}

interface Holder {
  textRange?: TextRange;
  text?: RowsText;
}

it('is lent rooms that come back when all texts in them are released', () => {
  const rooms = new TextRooms();
  const [first, second] = [rooms.lend(MEGABYTE)!, rooms.lend(MEGABYTE)!];
  new Uint8Array(first).set([10, 11, 12]);
  const files: Holder[] = [{}, { textRange: { start: 1, end: 2 } }, { textRange: { start: 2, end: 3 } }];
  rooms.share(files, first);
  expect(files[0].text).toBeUndefined();
  const texts = [files[1].text!, files[2].text!];
  expect(texts.map(({ bytes }) => [...bytes!])).toEqual([[11], [12]]);
  texts[0].release();
  texts[0].release();
  expect(texts[0].bytes).toBeUndefined();
  expect(rooms.lend(MEGABYTE)).not.toBe(first);
  texts[1].release();
  expect(rooms.lend(2 * MEGABYTE)).not.toBe(first);
  expect(rooms.lend(MEGABYTE)).toBe(first);
  // One without a text in it.
  rooms.share([{}], second);
  expect(rooms.lend(MEGABYTE)).toBe(second);
});

it('takes no more than some memory, until texts are released', () => {
  const rooms = new TextRooms();
  expect(rooms.lend(16 * MEGABYTE)).toBeUndefined();
  const lent = lendAll(rooms, 2 * MEGABYTE);
  const total = lent.reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(total).toBeGreaterThan(32 * MEGABYTE);
  expect(total).toBeLessThanOrEqual(48 * MEGABYTE);
  const holders: Holder[] = [{ textRange: { start: 0, end: 1 } }];
  rooms.share(holders, lent[1]);
  expect(rooms.lend(2 * MEGABYTE)).toBeUndefined();
  holders[0].text!.release();
  expect(rooms.lend(2 * MEGABYTE)).toBe(lent[1]);
  expect(rooms.lend(2 * MEGABYTE)).toBeUndefined();
});
