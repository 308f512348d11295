import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { readSourceLines, type SourceLine } from '../../../src/pipeline/view/source-lines.js';
import { tempDir } from '../../helpers/temp-dir.js';
import { Workshop } from '../workshop.js';

/** Has a file judged, and answers the lines beside its violations. */
async function linesOf(
  content: string | Uint8Array,
  {
    name = 'scores.csv',
    columns = 'name: TEXT, age: INTEGER',
    change = () => undefined,
  }: { name?: string; columns?: string; change?: (file: string) => void } = {},
): Promise<(SourceLine | undefined)[]> {
  const workshop = await Workshop.open({ config: `people: { files: "*", columns: { ${columns} } }` });
  const { result } = await workshop.deliver(name, content);
  const file = path.join(tempDir(), name);
  writeFileSync(file, content);
  change(file);
  const { dialect, violations } = result.report!;
  const { datasets, limits } = workshop.settings;
  workshop.close();
  return readSourceLines({ file, dialect: dialect!, dataset: datasets[0], limits, violations });
}

/** `before[cell]after`. */
function drawn(line: SourceLine | undefined): string | undefined {
  return (
    line &&
    `${line.isCutLeft ? '…' : ''}${line.before}[${line.cell}]${line.after}${line.isCutRight ? '…' : ''}`
  );
}

describe('the line beside a violation', () => {
  it('shows the record as it stands, quotes and all', async () => {
    const lines = await linesOf('name,age\n"a, b",x\nann,3\n"two\nlines","y"\n');
    expect(lines.map(drawn)).toEqual(['"a, b",[x]', '"two\nlines",["y"]']);
  });

  it('is the whole record where no cell is meant', async () => {
    const lines = await linesOf('name,age\nann\nbob,4,5\n"open,4\n');
    expect(lines.map(drawn)).toEqual(['[]ann', '[]bob,4,5', '[]"open,4']);
  });

  it('is that of the header where that is wrong', async () => {
    const lines = await linesOf('Name,Size,AGE,age\nann,1,3,4\n');
    expect(lines.map(drawn)).toEqual(['Name,[Size],AGE,age', 'Name,Size,AGE,[age]']);
  });

  it.each(['utf16le', 'windows-1252', 'shift_jis'])('is decoded from %s', async (encoding) => {
    const word = encoding === 'shift_jis' ? '日本語テキスト' : 'Zoë Müller café';
    const rows = Array.from({ length: 30 }, (_, i) => `${word} ${i},${i}\n`).join('');
    const text = `name,age\n${rows}${word},x\n`;
    const bytes = iconv.encode(text, encoding, { addBOM: encoding === 'utf16le' });
    expect((await linesOf(bytes)).map(drawn)).toEqual([`${word},[x]`]);
  });

  it('is found in a packed file', async () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => `n${i},${i % 1000 === 7 ? 'x' : i}\n`);
    const lines = await linesOf(gzipSync(`name,age\n${rows.join('')}`), { name: 'scores.csv.gz' });
    expect(lines.map(drawn)).toEqual(
      rows.flatMap((row, i) => (i % 1000 === 7 ? [row.replace(/x\n/, '[x]')] : [])),
    );
  });

  it('is cut around the cell', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `c${i}`);
    const cells = names.map((name) => (name === 'c50' ? 'x'.repeat(100_000) : name));
    const columns = names.map((name) => `${name}: ${name === 'c50' ? 'INTEGER' : 'TEXT'}`).join(', ');
    const [line] = await linesOf(`${names.join(',')}\n${cells.join(',')}\n`, { columns });
    expect(line).toMatchObject({ isCutLeft: true, isCutRight: true });
    expect(line!.before).toMatch(/c49,$/);
    expect(line!.cell).toMatch(/^x{200}…$/);
    expect(JSON.stringify(line).length).toBeLessThan(1000);
  });
});

describe('no line is shown', () => {
  const BAD = 'name,age\nann,x\n';

  it.each<[string, (file: string) => void]>([
    ['is gone', (file) => rmSync(file)],
    ['is a link', linkInPlaceOf],
    ['is empty', (file) => writeFileSync(file, '')],
    ['is another one', (file) => writeFileSync(file, gzipSync(BAD))],
    ['was cut short', (file) => writeFileSync(file, BAD.slice(0, 9))],
  ])('where the file %s', async (_, change) => {
    expect(await linesOf(BAD, { change })).toEqual([undefined]);
  });
});

function linkInPlaceOf(file: string): void {
  rmSync(file);
  symlinkSync('/etc/passwd', file);
}
