import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decode, encodeFor, sourceLength, TranscodingSource } from '../../src/read/transcode.js';
import { findInvalidUtf8, lastCharacterEnd } from '../../src/read/undecodable.js';
import { tempDir } from '../helpers/temp-dir.js';
import { readBytes } from './reading.js';

const folder = tempDir();
const TEXT = 'name;city\nJürgen;Köln\nZoé;Besançon\n';

describe('encodings', () => {
  it.each([
    ['UTF-8', Buffer.from(TEXT), 'utf-8', 0],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${TEXT}`), 'utf-8', 3],
    ['UTF-16 LE with a mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le'), 'utf-16le', 2],
    ['UTF-16 BE with a mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le').swap16(), 'utf-16be', 2],
    ['UTF-16 LE without a mark', Buffer.from(TEXT, 'utf16le'), 'utf-16le', 0],
    ['UTF-16 BE without a mark', Buffer.from(TEXT, 'utf16le').swap16(), 'utf-16be', 0],
    ['Windows-1252', iconv.encode(TEXT, 'windows-1252'), 'windows-1252', 0],
  ])('are detected: %s', async (_, content, label, bomBytes) => {
    const table = await readBytes(folder, content);
    expect(table.findings.encoding).toEqual({ label, origin: 'detected', bomBytes });
    expect(table.header).toEqual(['name', 'city']);
    expect(table.rows.map(({ cells }) => cells)).toEqual([
      ['Jürgen', 'Köln'],
      ['Zoé', 'Besançon'],
    ]);
    // Offsets are those of the file, in its own encoding.
    const unit = label.startsWith('utf-16') ? 2 : 1;
    const second = content.indexOf(iconv.encode('Zoé', label === 'utf-8' ? 'utf8' : label));
    expect(table.rows[0].byteOffset).toBe(bomBytes + 10 * unit);
    expect(table.rows[1].byteOffset).toBe(second);
  });

  it.each(['iso-8859-15', 'shift_jis', 'gb18030', 'windows-1251', 'utf-16le', 'UTF-8'])(
    'are what the user says: %s',
    async (encoding) => {
      const text = 'name,price\nabc,1\n';
      const table = await readBytes(folder, iconv.encode(text, encoding), { encoding });
      expect(table.findings.encoding).toMatchObject({ origin: 'user', label: encoding.toLowerCase() });
      expect(table.rows.map(({ cells }) => cells)).toEqual([['abc', '1']]);
    },
  );

  it.each([
    [
      'quotation marks and a currency in Windows-1252',
      'name;price\n“two words”;5 €\nb;6 €\n',
      'windows-1252',
    ],
    ['words in code page 850', 'stad;antal\nMalmö;5\nVäxjö;6\n', 'cp850'],
  ])('of a short text are told: %s', async (_, text, label) => {
    const table = await readBytes(folder, iconv.encode(text, label));
    expect(table.findings.encoding.label).toBe(label);
  });

  it('that nobody knows are refused', async () => {
    const reading = readBytes(folder, 'a,b\n', { encoding: 'klingon' });
    await expect(reading).rejects.toMatchObject({ code: 'bad_encoding' });
  });

  it('give the same for any size of the blocks', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', 'é', '€', '漢', '🎓', ' '),
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }),
        fc.constantFrom('utf-8', 'utf-16le', 'utf-16be', 'gb18030'),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, encoding, firstBytes, nextBytes) => {
          const text = `first,second\n${rows.map((row) => row.join(',')).join('\n')}`;
          const content = iconv.encode(text, encoding);
          const blockSizes = {
            firstBytes: firstBytes + content.indexOf(iconv.encode('\n', encoding)) + 4,
            nextBytes,
          };
          const table = await readBytes(folder, content, {
            encoding,
            delimiter: ',',
            header: 'present',
            blockSizes,
          });
          expect(table.rows.map(({ cells }) => cells)).toEqual(rows);
          let line = 2;
          let offset = 2 * iconv.encode('first,second\n', encoding).length;
          offset /= 2;
          for (const [i, row] of rows.entries()) {
            expect(table.rows[i]).toMatchObject({ line, byteOffset: offset });
            line++;
            offset += iconv.encode(`${row.join(',')}\n`, encoding).length;
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('binary content', () => {
  it.each([
    ['a PNG picture', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]],
    ['a ZIP archive or an Excel workbook', [0x50, 0x4b, 3, 4, 20, 0, 8, 8, 8, 0, 0x21, 0]],
    ['a gzip file', [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c]],
  ])('is named: %s', async (name, bytes) => {
    const reading = readBytes(folder, Uint8Array.from(bytes));
    await expect(reading).rejects.toMatchObject({
      code: 'binary_file',
      message: expect.stringContaining(name),
    });
  });

  it('that merely begins like a known kind is text', async () => {
    const table = await readBytes(folder, 'PAR1,b\n1,2\n3,4\n');
    expect(table.findings.encoding.label).toBe('utf-8');
    expect(table.header).toEqual(['PAR1', 'b']);
  });

  it('of random bytes is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 2000, maxLength: 4000 }), async (bytes) => {
        const random = bytes.map((byte, i) => (i % 16 === 0 ? 1 : byte));
        await expect(readBytes(folder, random)).rejects.toMatchObject({ code: 'binary_file' });
      }),
      { numRuns: 30 },
    );
  });
});

describe('bytes that are not UTF-8', () => {
  it('are found wherever they are', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 2000 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(texts, (parts) => {
        const pieces: Uint8Array[] = [];
        const expected: number[] = [];
        let length = 0;
        for (const [i, part] of parts.entries()) {
          if (i > 0) {
            expected.push(length);
            pieces.push(Uint8Array.of(0xff));
            length++;
          }
          const bytes = Buffer.from(part);
          pieces.push(bytes);
          length += bytes.length;
        }
        expect(findInvalidUtf8(Buffer.concat(pieces))).toEqual(expected);
      }),
    );
  });

  it.each([
    [[0xc3], [3]],
    [
      [0xe2, 0x82],
      [3, 4],
    ],
    [
      [0xf0, 0x9f, 0x8e],
      [3, 4, 5],
    ],
    [[0xc3, 0x28], [3]],
    [
      [0xed, 0xa0, 0x80],
      [3, 4, 5],
    ],
    [
      [0xc0, 0xaf],
      [3, 4],
    ],
    [
      [0xf4, 0x90, 0x80, 0x80],
      [3, 4, 5, 6],
    ],
    [[0x80], [3]],
  ])('are all of %j', (broken, expected) => {
    const bytes = Buffer.concat([Buffer.from('aé'), Uint8Array.from(broken), Buffer.from('xyz')]);
    expect(findInvalidUtf8(bytes)).toEqual(expected);
  });

  it('are not those of a character that a block only begins', () => {
    const bytes = Buffer.from('aé€🎓');
    for (let length = 0; length <= bytes.length; length++) {
      const head = bytes.subarray(0, length);
      expect(findInvalidUtf8(head.subarray(0, lastCharacterEnd(head)))).toEqual([]);
    }
  });
});

describe('bytes that cannot be decoded', () => {
  it('cost their own record in a file that is UTF-8 otherwise', async () => {
    const lines = [
      Buffer.from('name,city\nJürgen,Köln\nZoé,'),
      Uint8Array.of(0xe9),
      Buffer.from('x\nRené,Orléans\n'),
    ];
    const table = await readBytes(folder, Buffer.concat(lines));
    expect(table.findings.encoding).toMatchObject({ label: 'utf-8', origin: 'detected' });
    expect(table.rows.map(({ cells }) => cells)).toEqual([
      ['Jürgen', 'Köln'],
      ['René', 'Orléans'],
    ]);
    expect(table.irregular).toMatchObject([{ kind: 'bad_encoding', line: 3, byteOffset: 24, at: 29 }]);
  });

  it('far into the file make it be read again, judged as a whole', async () => {
    const head = `id,name\n${'1,abc\n'.repeat(100)}`;
    const blockSizes = { firstBytes: 100, nextBytes: 100 };
    const western = Buffer.concat([Buffer.from(head), iconv.encode('2,Café crème\n', 'windows-1252')]);
    const first = readBytes(folder, western, { blockSizes });
    await expect(first).rejects.toMatchObject({
      message: expect.stringContaining(`not UTF-8 at byte ${head.length + 5}`),
    });
    const again = await readBytes(folder, western, { blockSizes, encoding: 'survey' });
    expect(again.findings.encoding).toEqual({ label: 'windows-1252', origin: 'detected', bomBytes: 0 });
    expect(again.rows[100].cells).toEqual(['2', 'Café crème']);
  });

  it('of Windows-1252 are told, and written back as they were', async () => {
    const content = Buffer.concat([
      iconv.encode('a,b\né,1\n', 'windows-1252'),
      Uint8Array.of(0x81),
      Buffer.from(',2\n'),
    ]);
    const table = await readBytes(folder, content, { encoding: 'windows-1252' });
    expect(table.rows).toHaveLength(1);
    expect(table.irregular).toMatchObject([{ kind: 'bad_encoding', line: 3, byteOffset: 8, at: 8 }]);
    expect(encodeFor('windows-1252', Buffer.from(table.irregular[0].raw))).toEqual(
      Buffer.from([0x81, 0x2c, 0x32]),
    );
  });

  it('of any encoding are carried through to the byte', () => {
    const encodings = fc.constantFrom(
      'windows-1252',
      'utf-16le',
      'utf-16be',
      'shift_jis',
      'euc-jp',
      'euc-kr',
    );
    fc.assert(
      fc.property(encodings, fc.uint8Array({ maxLength: 40 }), (label, bytes) => {
        const text = Buffer.from(decode(label, bytes), 'utf8');
        const again = Buffer.from(encodeFor(label, text));
        // Some characters of the East Asian encodings have two codes.
        if (label.startsWith('utf-16') || label.startsWith('windows'))
          expect(again).toEqual(Buffer.from(bytes));
        else if (label !== 'euc-jp') expect(again.length).toBe(bytes.length);
        expect(sourceLength(label, text)).toBe(again.length);
        // UTF-16 has U+FFFD as a character.
        if (!label.startsWith('utf-16')) expect(text.includes('\ufffd')).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('in the header fail the file', async () => {
    const content = Buffer.concat([Buffer.from('näme,'), Uint8Array.of(0xff), Buffer.from('\né,1\n')]);
    await expect(readBytes(folder, content)).rejects.toMatchObject({
      code: 'bad_encoding',
      message: expect.stringContaining('offset 6'),
    });
  });
});

describe('a source in another encoding', () => {
  it('is decoded however its bytes are dealt out', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '🎓', ',', '\n', '\r'), maxLength: 40 });
    const encodings = fc.constantFrom('utf-16le', 'utf-16be', 'utf-32le', 'gb18030');
    await fc.assert(
      fc.asyncProperty(text, encodings, fc.integer({ min: 1, max: 9 }), async (content, label, dealt) => {
        const bytes = iconv.encode(content, label);
        let position = 0;
        const source = new TranscodingSource(
          {
            fill: (target, offset, length) => {
              const piece = bytes.subarray(position, position + Math.min(dealt, length));
              target.set(piece, offset);
              position += piece.length;
              return piece.length;
            },
          },
          label,
        );
        const target = new Uint8Array(1000);
        let filled = 0;
        for (let count = 1; count > 0; filled += count) count = await source.fill(target, filled, 7);
        expect(Buffer.from(target.subarray(0, filled)).toString('utf8')).toBe(content);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the guess of an encoding', () => {
  it.each([
    ['windows-1252', 'name;ville;note\nJürgen Müller;Köln;gut\nZoé;Besançon;très bien\nRené;Orléans;été\n'],
    ['windows-1252', 'id,name,city\n1,José,Málaga\n2,Ana,Córdoba\n3,Begoña,Logroño\n'],
    ['windows-1252', 'id,price\n1,€5\n2,£7\n'],
    ['windows-1252', 'id,t\n1,café\n2,x\n'],
    ['windows-1251', 'имя;город;возраст\nИван;Москва;12\nМария;Казань;33\nПётр;Тверь;41\n'],
    ['koi8-r', 'имя;город;возраст\nИван;Москва;12\nМария;Казань;33\nПетр;Тверь;41\n'],
    ['windows-1250', 'nazwa;miasto\nŁukasz;Łódź\nGrażyna;Kraków\nMichał;Poznań\n'],
    ['cp850', 'name;ville\nJürgen;Köln\nZoé;Besançon\nRené;Orléans\n'],
    ['macintosh', 'name;ville\nJürgen;Köln\nZoé;Besançon\nRené;Orléans\n'],
    ['shift_jis', '名前,都市\n田中,東京\n鈴木,大阪\n佐藤,名古屋\n'],
    ['euc-jp', '名前,都市\n田中,東京\n鈴木,大阪\n佐藤,名古屋\n'],
    ['gb18030', '姓名,城市\n张三,北京\n李四,上海\n王五,广州\n'],
    ['big5', '姓名,城市\n張三,臺北\n李四,高雄\n王五,臺中\n'],
    ['euc-kr', '이름,도시\n김철수,서울\n이영희,부산\n박민수,대구\n'],
  ])('is right for %s: %j', async (label, text) => {
    const table = await readBytes(folder, iconv.encode(text, label));
    expect(table.findings.encoding.label).toBe(label);
    expect(table.rows.at(-1)?.raw).toBe(text.trimEnd().split('\n').at(-1));
  });
});
