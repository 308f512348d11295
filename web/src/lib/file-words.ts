import type { FileState, PendingFile, StoryDialect } from '../../../src/server/api/files.js';

/* How the page calls what the API has codes for. */

export const STATES: Record<FileState, { title: string; tone: string }> = {
  converted: { title: 'Converted', tone: 'info' },
  loaded: { title: 'Loaded', tone: 'good' },
  failed: { title: 'Failed', tone: 'bad' },
  load_failed: { title: 'Load failed', tone: 'bad' },
  duplicate: { title: 'Seen before', tone: '' },
};

export const PENDING: Record<PendingFile['state'], { title: string; tone: string }> = {
  being_written: { title: 'Still being written', tone: '' },
  held_open: { title: 'Held open', tone: 'warn' },
  without_marker: { title: 'Waits for its marker', tone: '' },
  waiting: { title: 'Waiting', tone: 'info' },
  converting: { title: 'Converting', tone: 'info' },
  postponed: { title: 'To be tried again', tone: 'warn' },
  waiting_to_load: { title: 'Waits to be loaded', tone: 'info' },
};

/** `too_many_set_aside` → `too many set aside`. */
export function codeTitle(code: string): string {
  return code.replaceAll('_', ' ');
}

const DELIMITERS: Record<string, string> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'bar',
  ' ': 'space',
  '': 'none',
};

/** `semicolon`, or the characters themselves. */
export function delimiterTitle({ delimiter }: StoryDialect): string {
  return DELIMITERS[delimiter.value] ?? delimiter.value;
}

const ORIGINS: Record<string, string> = {
  user: 'set in schema.yaml',
  detected: 'detected',
  default: 'assumed',
};

export function originTitle(origin: string): string {
  return ORIGINS[origin] ?? origin;
}
