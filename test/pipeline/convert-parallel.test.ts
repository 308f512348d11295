import { readFileSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { describe, expect, it } from 'vitest';
import { unpackStats } from '../../src/pipeline/column-stats.js';
import type { ConvertContext, HelperDesk } from '../../src/pipeline/convert-context.js';
import { type ConvertResult, convertFile } from '../../src/pipeline/convert-file.js';
import { help } from '../../src/pipeline/help-convert.js';
import { TextWindow } from '../../src/read/batch-reader.js';
import { filesUnder, Workshop } from './workshop.js';

/** Parts of a few rows, so that small files have many. */
const SIZES = { minFileBytes: 0, minPartBytes: 60, maxPartBytes: 400, minSampleRows: 2 };

/** A desk whose helpers run in this same thread. */
function deskOf(contexts: ConvertContext[]) {
  const helpers: Promise<void>[] = [];
  let asked = 0;
  const desk: HelperDesk = {
    open: (admit) => {
      asked++;
      for (const context of contexts) {
        const { port1, port2 } = new MessageChannel();
        helpers.push(help({ port: port1, demand: new SharedArrayBuffer(4) }, context));
        admit(port2);
      }
    },
    close: () => undefined,
  };
  return { desk, done: () => Promise.all(helpers), asked: () => asked };
}

/** Everything that can be seen of a result, row groups and times left out. */
async function pictureOf(result: ConvertResult): Promise<unknown> {
  if (result.status === 'failed') return { ...result, report: withoutTime(result.report) };
  if (result.status !== 'converted') return result;
  const bytes = readFileSync(result.parquetTemp!);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { key_value_metadata: metadata } = parquetMetadata(file);
  const rows = await parquetReadObjects({ file, compressors, utf8: true });
  const { parquetTemp, rejectsTemp, bytesOut, durationMs, report, columnStats, ...rest } = result;
  const rejects = rejectsTemp && readFileSync(rejectsTemp, 'latin1');
  // Which columns leave dictionary mode is judged by other rows.
  const stats = unpackStats(columnStats!).map(({ distinct, ...one }) => one);
  return { ...rest, stats, report: report && withoutTime(report), metadata, rows, rejects };
}

function distinctOf(result: ConvertResult): (number | null)[] {
  if (result.status !== 'converted') return [];
  return unpackStats(result.columnStats!).map(({ distinct }) => distinct);
}

function withoutTime<T extends { reported_at: string }>({ reported_at, ...report }: T) {
  return report;
}

interface Way {
  helperCount?: number;
  /** Slots of the set in which rows are compared when the file is divided. */
  rowSetSlots?: number;
}

/** The pictures of both ways, and whether the file was divided, or at least tried to. */
async function convertBothWays(
  workshop: Workshop,
  content: string,
  { helperCount = 2, rowSetSlots }: Way = {},
) {
  const file = workshop.drop('a.csv', content);
  const inOne = await convertFile(file, fresh(workshop));
  const whole = await pictureOf(inOne);
  const contexts = Array.from({ length: helperCount }, () => ({ ...fresh(workshop), rowSetSlots }));
  const { desk, done, asked } = deskOf(contexts);
  const context = { ...fresh(workshop), helpers: desk, partSizes: SIZES, rowSetSlots };
  const inParts = await convertFile(file, context);
  const divided = await pictureOf(inParts);
  await done();
  for (const [i, distinct] of distinctOf(inParts).entries()) {
    if (distinct !== null) expect(distinct).toBe(distinctOf(inOne)[i]);
  }
  return { file, whole, divided, isTried: asked() > 0 };
}

/** As another thread has it. */
function fresh({ context }: Workshop): ConvertContext {
  return { ...context, plans: new Map(), partWindow: new TextWindow(0) };
}

const config = (rules: string) => ({
  'schema.yaml': `table:
  files: "*"
  columns:
    id: INTEGER
    word: { type: VARCHAR(12), nullable: true }
    note: TEXT
${rules}`,
  'dropgate.yaml': 'parquet: { row_group_rows: 7 }\n',
});

const RULES = [
  '',
  '  duplicates: keep\n',
  '  invalid: set_aside\n  ragged: set_aside\n  max_set_aside: 100%\n',
  '  ragged: rescue\n  invalid: set_aside\n  max_set_aside: 100%\n',
  '  duplicates: fail_file\n  missing: fail_file\n',
];

const id = fc.oneof(
  { weight: 30, arbitrary: fc.nat(30).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('NA', '', 'x', '1.5', ' 7 ') },
);
const word = fc.constantFrom('a', 'b', 'Word', '', 'null', 'a-much-longer-one');
const quotedNotes = ['"a, b"', '"two\nlines"', '"1,a,x\n2,b,y\n3,a,z\n"', '"she said ""no"""'];
const note = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom('plain', 'MORE', 'three words here') },
  { weight: 4, arbitrary: fc.constantFrom(...quotedNotes) },
);
const oddRecords = ['', '1,a', '1,a,b,c', 'id,word,note', '5,a,"stray" quote', '5,a,"open', '9,\ufeffb,c'];
const record = fc.oneof(
  { weight: 60, arbitrary: fc.tuple(id, word, note).map((cells) => cells.join(',')) },
  { weight: 1, arbitrary: fc.constantFrom(...oddRecords) },
);

describe('a file converted by several threads', () => {
  it('comes out as one converted by one thread', async () => {
    const workshops = await Promise.all(RULES.map((rules) => Workshop.open({ config: config(rules) })));
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(RULES.length - 1),
        fc.array(record, { minLength: 20, maxLength: 120 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.nat(3),
        async (rules, records, lineEnd, ends, helperCount) => {
          const text = ['id,word,note', ...records].join(lineEnd) + (ends ? lineEnd : '');
          const { whole, divided, isTried } = await convertBothWays(workshops[rules], text, { helperCount });
          if (isTried) tried++;
          expect(divided).toEqual(whole);
        },
      ),
      { numRuns: 150 },
    );
    expect(tried).toBeGreaterThan(50);
    for (const workshop of workshops) workshop.close();
  });

  it('tells lines, offsets and repeated rows as they are in the whole file', async () => {
    const workshop = await Workshop.open({ config: config(RULES[2]) });
    const rows = Array.from({ length: 200 }, (_, i) => `${i},a,"note\n${i}"`);
    rows[60] = 'x,a,wrong';
    rows[150] = rows[10];
    const { whole, divided, isTried } = await convertBothWays(workshop, `id,word,note\n${rows.join('\n')}\n`);
    expect(isTried).toBe(true);
    expect(divided).toEqual(whole);
    const { counts, report } = divided as { counts: object; report: { violations: { line: number }[] } };
    expect(counts).toMatchObject({ rows_in: 200, rows_out: 198, set_aside: 1, dropped_duplicate: 1 });
    expect(report.violations.map(({ line }) => line)).toEqual([2 + 60 * 2, 2 + 60 * 2 + 1 + 89 * 2]);
    workshop.close();
  });

  it('has its repeated rows found, wherever they are, when most rows do not fit into the set', async () => {
    const workshop = await Workshop.open({ config: config(RULES[2]) });
    let repeated = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(60), { minLength: 40, maxLength: 120 }),
        fc.nat(3),
        async (ids, helperCount) => {
          const rows = ids.map((id, i) => (i % 50 === 49 ? 'x,a,wrong' : `${id},a,note ${id}`));
          const text = `id,word,note\n${rows.join('\n')}\n`;
          const way = { helperCount, rowSetSlots: 16 };
          const { file, whole, divided } = await convertBothWays(workshop, text, way);
          expect(divided).toEqual(whole);
          const alone = await convertFile(file, { ...fresh(workshop), rowSetSlots: 16 });
          expect(await pictureOf(alone)).toEqual(whole);
          if (alone.status === 'converted') repeated += alone.counts.dropped_duplicate;
        },
      ),
      { numRuns: 60 },
    );
    expect(repeated).toBeGreaterThan(500);
    expect(filesUnder(workshop.settings.folders.state).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    workshop.close();
  });

  it('is converted as a whole when a helper dies', async () => {
    const workshop = await Workshop.open({ config: config(RULES[2]) });
    const rows = Array.from({ length: 300 }, (_, i) => `${i},a,note ${i}`).join('\n');
    const file = workshop.drop('a.csv', `id,word,note\n${rows}\n`);
    const dead: HelperDesk = {
      open: (admit) => {
        const { port1, port2 } = new MessageChannel();
        admit(port2);
        port1.close();
      },
      close: () => undefined,
    };
    const alone = await pictureOf(await convertFile(file, fresh(workshop)));
    const left = { ...fresh(workshop), helpers: dead, partSizes: SIZES };
    expect(await pictureOf(await convertFile(file, left))).toEqual(alone);
    workshop.close();
  });

  it('waits a moment for threads that are idle, before it converts a part itself', async () => {
    const workshop = await Workshop.open({ config: config('') });
    const rows = Array.from({ length: 100 }, (_, i) => `${i},word,note`).join('\n');
    const file = workshop.drop('a.csv', `id,word,note\n${rows}\n`);
    const { desk, done } = deskOf([fresh(workshop)]);
    const events: string[] = [];
    const late: HelperDesk = {
      open: (admit) =>
        setImmediate(() => {
          events.push('helper');
          desk.open(admit);
        }),
      close: () => undefined,
    };
    const onProgress = () => events.push('part');
    const context = { ...fresh(workshop), helpers: late, partSizes: SIZES, onProgress };
    expect((await convertFile(file, context)).status).toBe('converted');
    await done();
    expect(events.slice(0, 2)).toEqual(['helper', 'part']);
    workshop.close();
  });
});
