import os from 'node:os';
import path from 'node:path';
import { DropgateError, EXIT } from '../base/errors.js';
import { plural } from '../base/text.js';
import { VERSION } from '../base/version.js';
import { type ConvertResult, convertFile } from '../pipeline/convert-file.js';
import { openContext } from '../pipeline/convert-worker.js';
import { describeNote, type Report, type ReportedViolation } from '../pipeline/report.js';
import type { Command, CommandContext } from './command.js';

/** `dropgate check`: the verdict, touching nothing. */
export const checkCommand: Command = {
  name: 'check',
  argumentsText: 'FILE... [--json]',
  summary: 'the verdict that the daemon would give, touching nothing',
  details: 'Exits 3 when a file would fail. --json prints one array of reports, as they would be written.',
  options: { json: { type: 'boolean' } },
  run,
};

async function run(context: CommandContext): Promise<number> {
  if (context.positionals.length === 0) throw new DropgateError('usage', 'check needs the name of a file');
  const settings = context.settings();
  const judge = await openContext(
    {
      datasets: settings.datasets,
      overlappingDatasets: settings.intake.overlappingDatasets,
      outputFolder: settings.folders.output,
      failedFolder: settings.folders.failed,
      // Nothing of the installation is touched.
      scratchFolder: os.tmpdir(),
      parquet: settings.parquet,
      limits: settings.limits,
      version: VERSION,
    },
    true,
  );
  const reports: Report[] = [];
  for (const file of context.positionals) {
    const result = await convertFile({ name: path.basename(file), path: path.resolve(file) }, judge);
    reports.push(reportOf(file, result));
  }
  if (context.values.json) context.out(JSON.stringify(reports, null, 2));
  else for (const [i, report] of reports.entries()) show(context, context.positionals[i], report);
  return reports.some(({ verdict }) => verdict === 'failed') ? EXIT.filesFailed : EXIT.done;
}

function reportOf(file: string, result: ConvertResult): Report {
  switch (result.status) {
    case 'failed':
      return result.report;
    case 'converted':
      return result.report!;
    case 'fault':
      throw new DropgateError('unreadable', `${file}: ${result.message}`);
    default:
      throw new DropgateError('unreadable', `${file}: the file is not there, or is being written`);
  }
}

const MAX_SHOWN = 20;

function show(context: CommandContext, file: string, report: Report): void {
  const { counts, violations } = report;
  const code = report.code === null ? '' : ` [${report.code}]`;
  context.out(
    `${file}: ${report.verdict === 'failed' ? 'would fail' : 'would be converted'}: ${report.message}${code}`,
  );
  if (report.dialect) context.out(`  ${describeDialect(report)}`);
  context.out(
    `  ${plural(counts.rows_in, 'row')} in, ${counts.rows_out} out, ${counts.dropped_missing} missing, ` +
      `${counts.dropped_duplicate} duplicate, ${counts.set_aside} set aside`,
  );
  for (const violation of violations.slice(0, MAX_SHOWN)) context.out(`  ${describe(violation)}`);
  const more = violations.length + report.violations_not_listed - MAX_SHOWN;
  if (more > 0) context.out(`  and ${plural(more, 'more violation')}; --json lists up to 1,000`);
  for (const note of report.notes) context.out(`  ${describeNote(note)}`);
  if (report.hint !== '') context.out(`  ${report.hint}`);
}

function describeDialect({ dataset, dialect }: Report): string {
  const { delimiter, quote, encoding, header } = dialect!;
  const show = (setting: { value: string; origin: string }) =>
    `${JSON.stringify(setting.value)} (${setting.origin})`;
  return `dataset ${dataset}, delimiter ${show(delimiter)}, quote ${show(quote)}, encoding ${encoding.value} (${encoding.origin}), header ${header.value} (${header.origin})`;
}

function describe({ line, column, code, message }: ReportedViolation): string {
  return `line ${line}${column === '' ? '' : `, column ${column}`}: ${message} [${code}]`;
}
