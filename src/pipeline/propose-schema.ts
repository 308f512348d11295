import path from 'node:path';
import { DropgateError } from '../base/errors.js';
import { cutBytes } from '../base/files.js';
import { quoteValue } from '../base/text.js';
import { datasetSchema } from '../config/schemas.js';
import { withDefaults } from '../config/shape.js';
import { type Sample, type SampledColumn, sampleColumns } from './sample-columns.js';
import { schemaYaml, tablesYaml } from './schema-yaml.js';

/** A contract and a table that a sample meets. */
export interface Proposal {
  /** Name of the dataset and of its table. */
  dataset: string;
  /** Pattern on file names that claims the sample. */
  files: string;
  sample: Sample;
  /** Text of `schema.yaml`. */
  schemaYaml: string;
  /** Text of `schema_sql.yaml`. */
  tablesYaml: string;
}

/** The longest name that both databases take. */
const MAX_NAME_BYTES = 63;
/**
 * Reads a sample and proposes `schema.yaml` and `schema_sql.yaml`: the smallest types that all its values meet, as the
 * values are after cleaning. A sample does not hold all that is to come, so what is merely seen (few distinct values, the
 * range of numbers) stands in comments, ready to be made a rule; only types and `nullable` are declared.
 * @throws DropgateError as for a file that cannot be converted whatever the contract; `usage` for an unusable name
 */
export async function proposeSchema(options: { file: string; dataset?: string }): Promise<Proposal> {
  const { null_tokens: nullTokens } = withDefaults<{ null_tokens: string[] }>(datasetSchema, {
    files: '*',
    columns: 'any',
  });
  const fileName = path.basename(options.file);
  const dataset = options.dataset === undefined ? datasetNameFor(fileName) : checkedName(options.dataset);
  const sample = await sampleColumns(options.file, nullTokens);
  checkColumnNames(sample.columns);
  const proposal = { dataset, files: patternFor(fileName), sample };
  return {
    ...proposal,
    schemaYaml: schemaYaml({ ...proposal, fileName }),
    tablesYaml: tablesYaml({ dataset, columns: sample.columns, fileName }),
  };
}

function checkedName(name: string): string {
  const isUsable = name.trim() === name && name !== '' && !/[\u0000-\u001f]/.test(name);
  if (isUsable && Buffer.byteLength(name) <= MAX_NAME_BYTES && name !== 'dropgate_loads') return name;
  throw new DropgateError('usage', `${quoteValue(name)} cannot be the name of a dataset and its table`, {
    hint: `Choose a name of letters, digits and "_", at most ${MAX_NAME_BYTES} bytes long.`,
  });
}

/** Numbers and dates around a name, of which the next file will have others. */
const SERIAL_BEFORE = /^\d[\d\s_.()-]*/;
const SERIAL_BEHIND = /[\d\s_.()-]*\d[\d\s_.()-]*$/;

/** `Sales 2026-11.csv` → `sales`. */
function datasetNameFor(fileName: string): string {
  const core = parts(fileName).stem.replace(SERIAL_BEFORE, '').replace(SERIAL_BEHIND, '');
  const words = core.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '_');
  const name = words.replace(/^_+|_+$/g, '');
  const isUsable = /^\p{L}/u.test(name) && name !== 'dropgate_loads';
  return isUsable ? cutBytes(name, MAX_NAME_BYTES) : 'data';
}

/** `Sales 2026-11.csv` → `Sales*.csv`. */
function patternFor(fileName: string): string {
  const { stem, extension } = parts(fileName);
  const core = stem.replace(SERIAL_BEFORE, '*').replace(SERIAL_BEHIND, '');
  // Whatever could mean something in a pattern may be anything.
  return `${core}*${extension}`.replace(/[^\p{L}\p{N} _.,;=-]+/gu, '*');
}

/** A pattern for `x.csv` claims `x.csv.gz` as well. */
function parts(fileName: string): { stem: string; extension: string } {
  const { name, ext } = path.parse(fileName.replace(/\.gz$/i, ''));
  return { stem: name, extension: ext };
}

function checkColumnNames(columns: readonly SampledColumn[]): void {
  for (const [i, { name }] of columns.entries()) {
    const bytes = Buffer.byteLength(name);
    if (bytes <= MAX_NAME_BYTES) continue;
    throw new DropgateError(
      'config_invalid',
      `column ${i + 1}: the name ${quoteValue(name)} has ${bytes} bytes, a database allows ${MAX_NAME_BYTES}`,
      { hint: 'Shorten the name in the header row, or write schema.yaml with "columns: any" and no table.' },
    );
  }
}
