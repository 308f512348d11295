import type { SchemaObject } from 'ajv';
import { isTimeZone } from '../base/zoned-time.js';
import type { ConfigFile } from './config-file.js';
import type { Expectation } from './settings.js';
import type { KeyPath } from './yaml-tree.js';

const duration = (more: SchemaObject): SchemaObject => ({
  type: 'string',
  pattern: '^[0-9]{1,6}\\s*[smhd]$',
  description: 'a time such as 90s, 15m, 2h or 1d',
  ...more,
});

/** `expect` of a dataset in `schema.yaml`. */
export const expectSchema: SchemaObject = {
  type: 'object',
  description: 'a mapping with every',
  required: ['every'],
  additionalProperties: false,
  properties: {
    every: duration({}),
    at: {
      type: 'string',
      pattern: '^([01]?[0-9]|2[0-3]):[0-5][0-9]$',
      description: 'a time of day in quotes, such as "06:00"',
    },
    grace: duration({ default: '0s' }),
    timezone: { type: 'string', minLength: 1, description: 'a time zone such as Europe/Berlin' },
  },
};

/** As {@link expectSchema} lets it through. */
export interface RawExpectation {
  every: string;
  at?: string;
  grace: string;
  timezone?: string;
}

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_MS = 1000 * UNIT_MS.d;

/** Reads when files of a dataset are due; complains about what cannot be. */
export function readExpectation(
  raw: RawExpectation | undefined,
  { file, path }: { file: ConfigFile; path: KeyPath },
): Expectation | undefined {
  if (raw === undefined || file.isFaulty(path)) return undefined;
  const everyMs = millisecondsOf(raw.every);
  const graceMs = millisecondsOf(raw.grace);
  const timeZone = raw.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const complain = (key: string, text: string) => file.complain([...path, key], text);
  if (everyMs === 0) complain('every', 'a time longer than nothing is expected');
  if (everyMs > MAX_MS) complain('every', 'at most 1000d are possible');
  if (graceMs > everyMs) complain('grace', 'longer than the time between two files');
  if (!isTimeZone(timeZone))
    complain('timezone', 'no time zone is known by this name; expected one such as Europe/Berlin');
  if (raw.at !== undefined && everyMs % UNIT_MS.d !== 0)
    complain('at', 'a time of day needs whole days: every: 1d');
  const [hour, minute] = (raw.at ?? '').split(':').map(Number);
  return {
    everyMs,
    days: everyMs / UNIT_MS.d,
    at: raw.at === undefined ? undefined : { hour, minute },
    graceMs,
    timeZone,
  };
}

function millisecondsOf(text: string): number {
  return Number.parseInt(text, 10) * UNIT_MS[text.at(-1)!];
}
