import { REASONS, type ReasonCode } from '../../base/errors.js';
import type { Settings } from '../../config/settings.js';
import type { FileStory, FileSummary, StoryViolation } from '../api/files.js';
import { HIDDEN, hiddenColumns, maySeeLines } from '../privacy.js';
import type { User } from '../user.js';

/** Who asks, and what is private. */
export interface Asking {
  settings: Pick<Settings, 'datasets'>;
  user: User;
}

/** Leaves out what a user must not see: messages name values of the file. */
export function hideInSummary(file: FileSummary, { settings, user }: Asking): FileSummary {
  const dataset = file.dataset ?? undefined;
  if (file.message === null || maySeeLines(settings, { dataset, user })) return file;
  return { ...file, message: meaningOf(file.code) };
}

/** Leaves out lines, values and messages that a user must not see. */
export function hideInStory(story: FileStory, asking: Asking): FileStory {
  const { settings, user } = asking;
  const dataset = story.dataset ?? undefined;
  const others = story.same_name.map((one) => hideInSummary(one, asking));
  const repeats = story.repeats && hideInSummary(story.repeats, asking);
  if (maySeeLines(settings, { dataset, user })) return { ...story, same_name: others, repeats };
  const columns = dataset === undefined ? undefined : hiddenColumns(settings, { dataset, user });
  return {
    ...story,
    ...hideInSummary(story, asking),
    violations: story.violations.map((one) => hideInViolation(one, columns)),
    notes: story.notes.map((note) => ({ ...note, text: HIDDEN })),
    downloads: [],
    same_name: others,
    repeats,
    is_hidden: true,
  };
}

/** Without columns nothing is known of what is private in the file. */
function hideInViolation(
  violation: StoryViolation,
  columns: ReadonlySet<string> | undefined,
): StoryViolation {
  const { column, code } = violation;
  const isHidden = columns === undefined || columns.size === 0 || column === '' || columns.has(column);
  if (!isHidden) return { ...violation, source: null };
  return { ...violation, value: HIDDEN, message: meaningOf(code), source: null };
}

function meaningOf(code: string | null): string {
  return code !== null && Object.hasOwn(REASONS, code) ? REASONS[code as ReasonCode].meaning : HIDDEN;
}
