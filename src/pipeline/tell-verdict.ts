import type { Log } from '../base/log.js';
import { formatBytes, formatDuration, plural } from '../base/text.js';
import type { ConvertedFile } from './convert-file.js';
import type { Published } from './publish.js';
import { describeNote } from './report.js';

type Of<K extends Published['kind']> = Extract<Published, { kind: K }>;

/**
 * Tells the log what became of a file.
 * @param options shown: a path as people see it
 */
export function tellVerdict(
  one: Published,
  { log, shown }: { log: Log; shown: (file: string) => string },
): void {
  const source = shown(one.file.path);
  if (one.kind === 'failed') tellFailed(one, { log, source, shown });
  else if (one.kind === 'duplicate') tellDuplicate(one, { log, source });
  else tellConverted(one, { log, source, shown });
  if (one.markerFault !== undefined)
    log.warning(`The marker of ${source} cannot be removed: ${one.markerFault}; remove it by hand`);
}

interface Telling {
  log: Log;
  /** The delivered file. */
  source: string;
  shown(file: string): string;
}

function tellFailed(one: Of<'failed'>, { log, source, shown }: Telling): void {
  const { code, message, hint } = one.result.report;
  log.error(`Failed ${source}: ${message} [${code}]; ${hint} ${capitalised(placeOf(one, shown))}`, {
    event: 'failed',
    file: one.file.name,
    code,
  });
}

function placeOf({ failed, isStuck }: Of<'failed'>, shown: Telling['shown']): string {
  if (failed !== undefined) return `moved to ${shown(failed)}`;
  return isStuck
    ? 'it stays where it is: there is nothing to copy to the disk of the failed files'
    : 'it is gone from the folder';
}

function tellDuplicate({ earlier, file }: Of<'duplicate'>, { log, source }: Omit<Telling, 'shown'>): void {
  log.warning(
    `Skipped ${source}: the same content was delivered as ${earlier.name} and converted ${earlier.judgedAt}; archived, not loaded again`,
    { event: 'duplicate', file: file.name },
  );
}

function tellConverted(one: Of<'converted'>, { log, source, shown }: Telling): void {
  const { counts, bytesIn, bytesOut, durationMs, alsoClaimedBy, dataset, notes } = one.result;
  const dropped = counts.dropped_missing + counts.dropped_duplicate;
  const parts = [plural(counts.rows_out, 'row'), `${counts.set_aside} set aside`];
  if (dropped > 0) {
    parts.push(
      `${dropped} dropped (${counts.dropped_missing} missing, ${counts.dropped_duplicate} duplicate)`,
    );
  }
  parts.push(`${formatBytes(bytesIn)} to ${formatBytes(bytesOut)}`, formatDuration(durationMs));
  log.info(`Converted ${source} to ${shown(one.parquet)}: ${parts.join(', ')}`, {
    event: 'converted',
    file: one.file.name,
    dataset,
    counts,
  });
  if (one.rejects) log.warning(`Rows left out of ${source} are in ${shown(one.rejects)}, reasons beside it`);
  if (notes.total > 0) log.warning(`${source}: ${describeNotes(notes)}`);
  if (alsoClaimedBy.length > 0) {
    log.warning(
      `${source} is also claimed by ${alsoClaimedBy.join(', ')}; ${dataset} comes first in schema.yaml`,
    );
  }
}

/** Notes that a line of the log shows. */
const MAX_TOLD_NOTES = 3;

/** What is no row is told, so that nobody has to trust our judgement blindly. */
function describeNotes({ listed, total }: ConvertedFile['notes']): string {
  const told = listed.slice(0, MAX_TOLD_NOTES).map(describeNote);
  const more = total - told.length;
  return `${told.join(', ')}${more > 0 ? ` and ${plural(more, 'more line')}; "dropgate check" lists them` : ''}`;
}

function capitalised(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
