import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { DropgateError } from '../../src/base/errors.js';
import { cleanName } from '../../src/clean/clean-name.js';
import { foldName } from '../../src/config/datasets.js';
import { loadSettings } from '../../src/config/load-settings.js';
import { repositoryRoot } from '../helpers/real-data.js';
import { tempDir } from '../helpers/temp-dir.js';

const FILES = ['dropgate.yaml', 'schema.yaml', 'schema_sql.yaml', 'db_creds.yaml'] as const;
type Texts = Record<(typeof FILES)[number], string | Uint8Array>;

const shipped = Object.fromEntries(
  FILES.map((name) => [name, readFileSync(join(repositoryRoot, 'config', name), 'utf8')]),
) as Record<(typeof FILES)[number], string>;

const root = tempDir();

/** Loads a configuration; anything but settings or a well-formed complaint lets the test fail. */
function loadAny(texts: Texts): void {
  for (const name of FILES) writeFileSync(join(root, name), texts[name]);
  try {
    const settings = loadSettings({ root, configDir: root, env: { SET: 'a value' } });
    expect(Object.isFrozen(settings)).toBe(true);
  } catch (error) {
    if (!(error instanceof DropgateError)) throw error;
    expect(['config_missing', 'config_syntax', 'config_invalid']).toContain(error.code);
    const lines = error.message.split('\n');
    const problems = lines.length === 1 ? lines : lines.slice(1);
    for (const problem of problems) {
      expect(problem).toMatch(/^ *(and \d+ more|(dropgate|schema|schema_sql|db_creds)\.yaml(:\d+)?: )/);
    }
  }
}

/** The words that the configuration is made of, so that random documents come near to sense. */
const word = fc.constantFrom(
  ...'folders input state settle_ms watch polling limits log level json workers parquet codec'.split(' '),
  ...'files columns any names missing case null_tokens duplicates max_set_aside ragged rescue delimiter'.split(
    ' ',
  ),
  ...'type nullable private enum const pattern minimum anyOf not format INTEGER TEXT VARCHAR(3) JSON'.split(
    ' ',
  ),
  ...'name key mode upsert indexes database engine mysql postgres host port user password ssl ca'.split(' '),
  ...[
    'student_data',
    'age',
    '*',
    'a*',
    '$' + '{SET}',
    '$' + '{UNSET}',
    '$' + '{',
    '_rescued',
    '__proto__',
    'constructor',
    '',
  ],
);
const scalar = fc.oneof(
  word,
  fc.integer({ min: -5, max: 70_000 }),
  fc.boolean(),
  fc.constant(null),
  fc.double(),
  fc.string({ maxLength: 8 }),
);
const document = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.dictionary(word, tie('node'), { maxKeys: 6 }),
    fc.array(tie('node'), { maxLength: 4 }),
  ),
})).node;

describe('any configuration gives settings or an error with file and line', () => {
  it('when it is any text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'a:-[]{}#&*!|>\'"%@` \n\t,?~0$') }),
    );
    fc.assert(
      fc.property(fc.record(mapFiles(() => text)), (texts) => loadAny(texts as Texts)),
      { numRuns: 150 },
    );
  });

  it('when it is any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.record(mapFiles(() => bytes)), (texts) => loadAny(texts as Texts)),
      { numRuns: 60 },
    );
  });

  it('when it is any document made of the right words', () => {
    const text = document.map((value) => stringify(value));
    fc.assert(
      fc.property(fc.record(mapFiles(() => text)), (texts) => loadAny(texts as Texts)),
      { numRuns: 250 },
    );
  });

  it('when one dataset has anything for any key', () => {
    const column = fc.oneof(document, fc.dictionary(word, document, { maxKeys: 4 }));
    const dataset = fc.record({ files: fc.oneof(word, document), columns: fc.dictionary(word, column) });
    const extended = fc
      .tuple(dataset, fc.dictionary(word, document))
      .map(([base, more]) => ({ ...more, ...base }));
    fc.assert(
      fc.property(extended, document, (contract, table) => {
        loadAny({
          ...shipped,
          'schema.yaml': stringify({ student_data: contract }),
          'schema_sql.yaml': stringify({ student_data: table }),
        });
      }),
      { numRuns: 250 },
    );
  });

  it('when a column has anything for a rule', () => {
    const keyword = fc.constantFrom(
      ...'enum const pattern format minLength minimum multipleOf not anyOf allOf if then else'.split(' '),
      ...'required properties items default $ref type description'.split(' '),
    );
    const rules = fc.letrec<{ rules: Record<string, unknown>; value: unknown }>((tie) => ({
      rules: fc.dictionary(keyword, tie('value') as fc.Arbitrary<unknown>, { maxKeys: 3 }),
      value: fc.oneof({ depthSize: 'small' }, scalar, tie('rules'), fc.array(tie('value'), { maxLength: 3 })),
    })).rules;
    const type = fc.constantFrom('INTEGER', 'TEXT', 'JSON', 'BOOLEAN', 'DECIMAL(4,2)', 'DATE');
    fc.assert(
      fc.property(type, fc.constantFrom('lower', 'upper', 'keep'), rules, (type, rule, rules) => {
        const columns = { a: { ...rules, type, case: rule } };
        loadAny({
          ...shipped,
          'schema.yaml': stringify({ d: { files: '*', columns } }),
          'schema_sql.yaml': '',
        });
      }),
      { numRuns: 250 },
    );
  });

  it('when a piece of a sound one is cut out, put in or repeated', () => {
    const edit = fc.record({
      file: fc.constantFrom(...FILES),
      at: fc.nat(6000),
      cut: fc.nat(12),
      put: fc.oneof(fc.string({ maxLength: 4 }), word),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const texts = { ...shipped };
        for (const { file, at, cut, put } of edits) {
          const position = at % (texts[file].length + 1);
          texts[file] = texts[file].slice(0, position) + put + texts[file].slice(position + cut);
        }
        loadAny(texts);
      }),
      { numRuns: 150 },
    );
  });

  it('when it is nested without end, or multiplies by aliases', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
      .concat([...'bcdefghi'].map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]}, `.repeat(9)}]`))
      .join('\n');
    for (const text of [
      '['.repeat(20_000),
      '{a: '.repeat(5000),
      '- '.repeat(5000),
      'a: &a { b: *a }',
      bomb,
    ]) {
      for (const name of FILES) loadAny({ ...shipped, [name]: text });
    }
  });
});

it('names of columns are folded as the headers of files are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('lower', 'keep'), (name, names) => {
      expect(foldName(name, names)).toBe(cleanName(name, names));
    }),
  );
});

function mapFiles<T>(make: () => T): Record<(typeof FILES)[number], T> {
  return Object.fromEntries(FILES.map((name) => [name, make()])) as Record<(typeof FILES)[number], T>;
}
