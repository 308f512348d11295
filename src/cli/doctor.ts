import { EXIT } from '../base/errors.js';
import { plural } from '../base/text.js';
import { type Diagnosis, diagnose } from '../pipeline/doctor.js';
import type { Finding } from '../pipeline/finding.js';
import type { Command, CommandContext } from './command.js';

/** `dropgate doctor`: what is not in order, and its remedy. */
export const doctorCommand: Command = {
  name: 'doctor',
  argumentsText: '[--json]',
  summary: 'what is not in order, and its remedy: configuration, folders, limits, database',
  details: `Looks at the configuration, the system (Node.js, user, umask, open files, clock), the folders (rights, fsync and links,
file systems, free space, inotify) and the database (connection, version, rights, tables column by column), beside a
running daemon or without one. Leaves nothing behind: folders are tried with temporary files, the database is only read.
Rights are those of the user who runs it: run it as the user of the daemon.

  --json   one document: { version, root, checked_at, verdict, findings: [{ area, subject, status, message, remedy, code }] }

Exits 0 when everything is in order or there are only warnings; 2 when the configuration is wrong; 4 when the database
cannot be reached; 3 when anything else will not work.`,
  options: { json: { type: 'boolean' } },
  run,
};

async function run(context: CommandContext): Promise<number> {
  const diagnosis = await diagnose(context);
  if (context.values.json) context.out(JSON.stringify(diagnosis, null, 2));
  else show(context, diagnosis);
  return exitCode(diagnosis.findings);
}

const MARKS = { ok: 'ok       ', warning: 'warning  ', error: 'ERROR    ' } as const;

function show(context: CommandContext, { findings }: Diagnosis): void {
  let area = '';
  for (const finding of findings) {
    if (finding.area !== area) context.out(`${area === '' ? '' : '\n'}${finding.area}`);
    area = finding.area;
    for (const line of linesOf(finding)) context.out(line);
  }
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  context.out('');
  context.out(
    `${plural(count('error'), 'error')}, ${plural(count('warning'), 'warning')}, ${count('ok')} ok`,
  );
}

function linesOf({ status, subject, message, remedy }: Finding): string[] {
  const [first, ...rest] = message.split('\n');
  const indent = ' '.repeat(MARKS.ok.length + 2);
  return [
    `  ${MARKS[status]}${subject}: ${first}`,
    ...rest.map((line) => indent + line),
    ...(remedy === '' ? [] : [`${indent}-> ${remedy}`]),
  ];
}

function exitCode(findings: readonly Finding[]): number {
  const errors = findings.filter(({ status }) => status === 'error');
  if (errors.some(({ area }) => area === 'configuration')) return EXIT.usage;
  if (errors.some(({ code }) => code === 'database_unreachable')) return EXIT.database;
  return errors.length > 0 ? EXIT.filesFailed : EXIT.done;
}
