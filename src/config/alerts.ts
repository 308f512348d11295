import type { SchemaObject } from 'ajv';
import type { ConfigFile } from './config-file.js';
import type { AlertSettings } from './settings.js';

const milliseconds = (fallback: number, minimum: number): SchemaObject => ({
  ...{ type: 'integer', minimum, maximum: 86_400_000, default: fallback },
  description: `a number of milliseconds from ${minimum} to 86400000`,
});

/** `alerts` of `dropgate.yaml`. What is wrong with an address is said here, where no message shows it. */
export const alertsSchema: SchemaObject = {
  type: 'object',
  additionalProperties: false,
  default: {},
  properties: {
    webhook: { type: 'string', description: 'an address that begins with https:// or http://' },
    token: { type: 'string', description: 'a text' },
    gather_ms: milliseconds(5000, 0),
    interval_ms: milliseconds(30_000, 0),
    timeout_ms: milliseconds(10_000, 100),
    database_away_ms: milliseconds(300_000, 1000),
  },
};

/** As {@link alertsSchema} lets it through. */
export interface RawAlerts {
  webhook?: string;
  token?: string;
  gather_ms: number;
  interval_ms: number;
  timeout_ms: number;
  database_away_ms: number;
}

/** Reads who is told of troubles. */
export function readAlerts(raw: RawAlerts, file: ConfigFile): AlertSettings {
  const complain = (key: string, text: string) => file.complain(['alerts', key], text);
  const webhook = raw.webhook?.trim() || undefined;
  const token = raw.token?.trim() || undefined;
  if (webhook !== undefined) {
    const url = URL.canParse(webhook) ? new URL(webhook) : undefined;
    if (!url || !['https:', 'http:'].includes(url.protocol))
      complain(
        'webhook',
        'not an address that begins with https:// or http:// (what stands there is not shown)',
      );
    else if (url.username !== '' || url.password !== '')
      complain('webhook', 'a user and a password have no place in the address; use alerts.token');
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    complain('token', 'contains characters that no header can carry (what stands there is not shown)');
  return {
    webhook,
    token,
    gatherMs: raw.gather_ms,
    intervalMs: raw.interval_ms,
    timeoutMs: raw.timeout_ms,
    databaseAwayMs: raw.database_away_ms,
  };
}
