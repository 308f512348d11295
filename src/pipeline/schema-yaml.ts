import { formatSqlType, type SqlType } from '../base/sql-type.js';
import { escapeControls, plural, quoteValue } from '../base/text.js';
import type { Sample, SampledColumn } from './sample-columns.js';

/** Words that some reader of YAML takes for something else than a text. */
const RESERVED = /^(true|false|yes|no|on|off|y|n|null)$/i;
const PLAIN = /^[a-z_][a-z0-9_]*$/i;

/** `schema.yaml` in the full form with one dataset; what is merely seen stands in comments. */
export function schemaYaml(input: {
  dataset: string;
  files: string;
  fileName: string;
  sample: Sample;
}): string {
  const { dataset, files, fileName, sample } = input;
  return text([
    `# schema.yaml: what arrives, as proposed from ${quoteValue(fileName)}:`,
    `# ${describeSample(sample)}.`,
    '# Values are trimmed and lower-cased before they are checked. Comments tell what the sample holds. To allow nothing',
    '# else, make them rules: { type: VARCHAR(10), enum: [a, b] } or { type: INTEGER, minimum: 0, maximum: 9 }',
    '# All keys: docs/configuration.md',
    ...describeIrregular(sample),
    '',
    `${key(dataset)}: # also the name of the table`,
    `  files: ${JSON.stringify(files)}`,
    ...(sample.findings.header === 'absent'
      ? ['  header: absent # name the columns in the order of the file']
      : []),
    '  columns:',
    ...sample.columns.map((column) => `    ${key(column.name)}: ${declaration(column)}${remark(column)}`),
  ]);
}

/** `schema_sql.yaml` with the table of the dataset. */
export function tablesYaml(input: {
  dataset: string;
  fileName: string;
  columns: readonly SampledColumn[];
}): string {
  const { dataset, fileName, columns } = input;
  return text([
    `# schema_sql.yaml: the table of the rows, as proposed from ${quoteValue(fileName)}. It is created when it is missing.`,
    '# For a key, upsert or replace, and indexes, put these columns under "columns:"; see docs/configuration.md',
    '',
    `${key(dataset)}:`,
    ...columns.map(({ name, type }) => `  - { name: ${value(name)}, type: ${inFlow(type)} }`),
  ]);
}

function text(lines: string[]): string {
  return `${lines.join('\n')}\n`;
}

function describeSample({ rows, columns, findings }: Sample): string {
  const { dialect, encoding, header } = findings;
  const parts = [plural(rows, 'row'), plural(columns.length, 'column')];
  parts.push(`delimiter ${JSON.stringify(dialect.delimiter)}`, `encoding ${encoding.label}`);
  if (header === 'absent') parts.push('no header');
  return parts.join(', ');
}

function describeIrregular({ irregular }: Sample): string[] {
  if (irregular.count === 0) return [];
  return [
    `# ${plural(irregular.count, 'record')} of the sample, the first in line ${irregular.firstLine}, did not make a row and was passed over. Such a file fails;`,
    '# where bad rows are to be set aside instead, add "ragged: set_aside".',
  ];
}

function declaration({ type, hasMissing }: SampledColumn): string {
  return hasMissing ? `{ type: ${inFlow(type)}, nullable: true }` : formatSqlType(type);
}

function remark({ fewValues, range, isEmpty }: SampledColumn): string {
  if (isEmpty) return ' # no value in the sample';
  if (fewValues) return ` # enum: [${fewValues.map(value).join(', ')}]`;
  return range ? ` # ${range.min} to ${range.max}` : '';
}

/** Within braces a comma would end the value. */
function inFlow(type: SqlType): string {
  const text = formatSqlType(type);
  return text.includes(',') ? `"${text}"` : text;
}

function key(name: string): string {
  return PLAIN.test(name) && !RESERVED.test(name) ? name : quoted(name);
}

/** In values, unlike keys, `${` would begin a reference to the environment. */
function value(name: string): string {
  return key(name.replace(/\$(?=\{)/g, () => '$$'));
}

/** JSON's texts are YAML's. */
function quoted(text: string): string {
  return escapeControls(JSON.stringify(text));
}
