import fs from 'node:fs';
import path from 'node:path';
import { DropgateError, EXIT } from '../base/errors.js';
import { plural } from '../base/text.js';
import { type Proposal, proposeSchema } from '../pipeline/propose-schema.js';
import type { Command, CommandContext } from './command.js';

/** `dropgate init`: a first configuration from a sample. */
export const initCommand: Command = {
  name: 'init',
  argumentsText: 'FILE [options]',
  summary: 'proposes schema.yaml and schema_sql.yaml from a sample',
  details: `Reads the whole file and prints both files as two YAML documents. Needs no configuration.

  --dataset NAME   name of the dataset and its table (default: after the file)
  --write          writes both into the configuration folder; a file that is there already is never overwritten

Every column gets the smallest type that all its values meet once they are trimmed and lower-cased: INTEGER, BIGINT,
DECIMAL, DOUBLE, BOOLEAN (true and false only), DATE, TIME, TIMESTAMP, UUID, VARCHAR with room to grow, or TEXT. Digits
with leading zeros stay text. A column with missing values is nullable. A sample does not hold everything that is to
come, so a small set of values and the range of numbers stand in comments; make them rules where you know better.

Exits 2 when a file is there already, 3 when the sample cannot be read.`,
  options: { dataset: { type: 'string' }, write: { type: 'boolean' } },
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { positionals, values, configDir } = context;
  if (positionals.length !== 1) throw new DropgateError('usage', 'init needs the name of one file');
  const targets = {
    schema: path.join(configDir, 'schema.yaml'),
    tables: path.join(configDir, 'schema_sql.yaml'),
  };
  if (values.write) refuseExisting(Object.values(targets));
  const proposal = await proposeSchema({
    file: path.resolve(positionals[0]),
    dataset: values.dataset as string | undefined,
  });
  if (values.write) {
    write(targets.schema, proposal.schemaYaml);
    write(targets.tables, proposal.tablesYaml);
    for (const target of Object.values(targets)) context.out(path.relative(context.root, target));
    context.say(`Look through both, then try: dropgate check ${positionals[0]}`);
  } else {
    context.out(`${proposal.schemaYaml}---\n${proposal.tablesYaml.trimEnd()}`);
  }
  warn(proposal);
  return EXIT.done;
}

function warn({ sample: { irregular } }: Proposal): void {
  if (irregular.count === 0) return;
  process.stderr.write(
    `${plural(irregular.count, 'record')} did not make a row, the first in line ${irregular.firstLine}: "dropgate check" shows why.\n`,
  );
}

function refuseExisting(files: string[]): void {
  const existing = files.filter((file) => fs.existsSync(file));
  if (existing.length === 0) return;
  throw new DropgateError('usage', `${existing.join(' and ')}: there already; init overwrites nothing`, {
    hint: 'Run init without --write and take over what you need, or give another --config.',
  });
}

function write(file: string, content: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content, { flag: 'wx' });
}
