import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KnownHead } from '../../src/read/known-head.js';
import { tempDir } from '../helpers/temp-dir.js';
import { type ReadTable, readBytes } from './reading.js';

const folder = tempDir();
const expectedNames = new Set(['id', 'name', 'weight']);

/** What a file is, opened after others with one memory, and without any. */
async function openedAfter(
  others: readonly string[],
  content: string,
): Promise<{ remembering: ReadTable | string; alone: ReadTable | string }> {
  const knownHead = new KnownHead();
  for (const other of others) await outcome(other, knownHead);
  return { remembering: await outcome(content, knownHead), alone: await outcome(content) };
}

async function outcome(content: string, knownHead?: KnownHead): Promise<ReadTable | string> {
  try {
    return await readBytes(folder, content, { expectedNames, knownHead });
  } catch (error) {
    return String(error);
  }
}

const HEADER = 'id;name;weight\n';

describe('a known head', () => {
  it('is taken where a file begins like the one before', async () => {
    const knownHead = new KnownHead();
    await readBytes(folder, `${HEADER}1;Anna;3\n`, { expectedNames, knownHead });
    const window = windowOf(`\n\n${HEADER}2;Ben;4\n`, 2);
    const head = knownHead.recall(window, { quote: 'auto', line: 3 });
    expect(head?.sniffed.dialect.delimiter).toBe(';');
    expect(head?.found).toMatchObject({ names: ['id', 'name', 'weight'], line: 3, start: 2, dataLine: 4 });
    expect(head?.found.dataStart).toBe(2 + HEADER.length);
  });

  it.each([
    ['another header', 'id;weight;name\n1;2;x\n'],
    ['units below the header', `${HEADER}(no);;(kg)\n1;Anna;3\n`],
    ['a delimiter behind the last cells', `${HEADER}1;Anna;3;\n2;Ben;4;\n`],
    ['quotes of another kind', `${HEADER}1;'An;na';3\n2;'B;en';4\n`],
    ['backslashes', `${HEADER}1;"An\\"na";3\n2;"B\\"en";4\n`],
    ['line ends of two kinds', `${HEADER}1;Anna;3\r2;Ben;4\r3;Cleo;5\r`],
    ['a header and nothing else', HEADER],
    ['half a header', 'id;name;we'],
  ])('is not taken for %s', async (_, content) => {
    const knownHead = new KnownHead();
    await readBytes(folder, `${HEADER}1;Anna;3\n`, { expectedNames, knownHead });
    expect(knownHead.recall(windowOf(content, 0), { quote: 'auto', line: 1 })).toBeUndefined();
  });

  it('is not kept where more than the first record told what it is', async () => {
    const knownHead = new KnownHead();
    const texts = [
      `A title\n${HEADER}1;Anna;3\n`,
      `sep=;\n${HEADER}1;Anna;3\n`,
      `${HEADER}(no);;(kg)\n1;Anna;3\n`,
      `${HEADER}1;Ann'a;3\n`,
    ];
    for (const text of texts) await outcome(text, knownHead);
    expect(knownHead.recall(windowOf(`${HEADER}1;Anna;3\n`, 0), { quote: 'auto', line: 1 })).toBeUndefined();
  });

  it('is not taken for one whose line ends go on', async () => {
    const withEnds = (end: string) => `${HEADER}1;Anna;3\n2;Ben;4\n`.replaceAll('\n', end);
    for (const [before, after] of [
      ['\r', '\r\n'],
      ['\r\n', '\r'],
      ['\n', '\r\n'],
    ]) {
      const { remembering, alone } = await openedAfter([withEnds(before)], withEnds(after));
      expect(remembering).toEqual(alone);
    }
  });

  it('changes nothing in what a file is taken for', async () => {
    const header = fc.constantFrom(
      HEADER,
      'id,name,weight\n',
      '"id";"name";"weight"\r\n',
      'id;name;weight\r',
      'id;name;weight;\n',
      'id;name\n',
      'id, name, weight\n',
      '1;Anna;2\n',
    );
    const line = fc.constantFrom(
      ...['1;Anna;3\n', '2,Ben,4\n', '3;"Cl;eo";5\r\n', '(x);(y);(kg)\n', "4;'D;e';6\n", '5;F\\;g;7\n'],
      ...['6;Gert;8;\n', '\n', '7;Hans;9\r', '8, Ida, 10\n', '"9";"J""o";"11"\n', '10;"Kurt;12\n'],
    );
    const start = fc.constantFrom('', '\ufeff', '\n', 'A title\n', 'sep=;\n');
    const lineEnd = fc.constantFrom(undefined, '\n', '\r\n', '\r');
    const file = fc
      .tuple(start, header, fc.array(line, { maxLength: 5 }), lineEnd)
      .map(([first, names, lines, end]) => {
        const text = first + names + lines.join('');
        return end === undefined ? text : text.replace(/\r?\n|\r/g, end);
      });
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 3 }), file, async (others, content) => {
        const { remembering, alone } = await openedAfter(others, content);
        expect(remembering).toEqual(alone);
      }),
      { numRuns: 1000 },
    );
  });
});

function windowOf(text: string, from: number) {
  const bytes = Buffer.from(text);
  return { buffer: new Uint8Array(bytes), from, end: bytes.length } as never;
}
