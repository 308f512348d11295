import { Cells } from '../../src/base/cells.js';

/** The texts as cells of a scanned buffer, in which a delimiter stands between them, and behind the last one a line end. */
export function cellsOf(texts: readonly string[]): Cells {
  const pieces = texts.map((text) => Buffer.from(text));
  const bytes = Buffer.alloc(
    pieces.reduce((size, piece) => size + piece.length + 1, 4),
    '\n',
  );
  const cells = new Cells();
  cells.begin(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  cells.grow(texts.length);
  let at = 0;
  pieces.forEach((piece, row) => {
    if (row > 0) bytes.write(';', at - 1);
    bytes.set(piece, at);
    cells.put(row, at, at + piece.length);
    at += piece.length + 1;
  });
  return cells;
}
