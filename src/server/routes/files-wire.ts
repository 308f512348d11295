import type { FileRecord } from '../../ledger/ledger.js';
import type { LiveState as Live, PendingFile as Pending } from '../../pipeline/view/live-state.js';
import type { Story } from '../../pipeline/view/story.js';
import type { FileStory, FileSummary, LiveState, PendingFile, StoryViolation } from '../api/files.js';

/* From what the pipeline says to what the API says. */

export function liveOf(live: Live): LiveState {
  return {
    revision: live.revision,
    waiting: live.waiting,
    being_written: live.beingWritten,
    without_marker: live.withoutMarker,
    postponed: live.postponed,
    converting: live.converting.map((task) => ({
      name: task.name,
      files: task.files,
      bytes: task.bytes,
      bytes_read: task.bytesRead,
      rows_read: task.rowsRead,
      share: task.share ?? null,
      for_ms: Math.round(task.forMs),
    })),
    waiting_to_load: live.waitingToLoad,
    database: live.database,
  };
}

export function pendingOf({ name, state, bytes, rows, arrivedAt, pid }: Pending): PendingFile {
  return { name, state, bytes, rows, arrived_at: arrivedAt, pid };
}

export function summaryOf(record: FileRecord): FileSummary {
  return {
    id: record.id,
    name: record.name,
    dataset: record.dataset,
    state: record.state,
    code: record.code,
    message: record.message,
    bytes_in: record.bytesIn,
    bytes_out: record.bytesOut,
    rows_in: record.rowsIn,
    rows_out: record.rowsOut,
    dropped_missing: record.droppedMissing,
    dropped_duplicate: record.droppedDuplicate,
    set_aside: record.setAside,
    convert_ms: record.convertMs,
    arrived_at: record.arrivedAt,
    judged_at: record.judgedAt,
    loaded_at: record.loadedAt,
  };
}

export function storyOf(story: Story): FileStory {
  const { record } = story;
  return {
    ...summaryOf(record),
    sha256: record.sha256,
    parquet: record.parquet,
    original: record.original,
    hint: story.hint ?? null,
    load_failed_at: story.loadFailedAt ?? null,
    dialect: story.dialect ?? null,
    violations_by_code: story.violationsByCode as Record<string, number>,
    violations: story.violations.map(violationOf),
    violations_not_listed: story.violationsNotListed,
    notes: story.notes.listed,
    notes_total: story.notes.total,
    downloads: story.downloads,
    can_retry: story.canRetry,
    same_name: story.sameName.map(summaryOf),
    repeats: story.repeats ? summaryOf(story.repeats) : null,
    is_hidden: false,
  };
}

function violationOf({ source, ...violation }: Story['violations'][number]): StoryViolation {
  return {
    ...violation,
    source: source
      ? {
          before: source.before,
          cell: source.cell,
          after: source.after,
          is_cut_left: source.isCutLeft,
          is_cut_right: source.isCutRight,
        }
      : null,
  };
}
