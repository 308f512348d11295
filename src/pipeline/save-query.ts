import fs from 'node:fs';
import path from 'node:path';
import { DropgateError } from '../base/errors.js';
import { writeFileAtomic } from '../base/files.js';
import { quoteValue } from '../base/text.js';
import type { Settings } from '../config/settings.js';
import { dialectFolder, isQueryName, readManifest } from './query.js';

const MAX_NAME_LENGTH = 80;

/** A query to be kept as `sql/<dialect>/<name>.sql`. */
export interface SavedQuery {
  name: string;
  sql: string;
  /** Whether a file of this name may be replaced. */
  replace: boolean;
}

/**
 * Keeps a query as a file. Queries that the manifest describes belong to the installation and are not replaced.
 * @throws DropgateError `usage` for a name that is none, or that is taken
 */
export async function saveQuery(settings: Settings, { name, sql, replace }: SavedQuery): Promise<void> {
  if (!isQueryName(name) || name.length > MAX_NAME_LENGTH)
    throw new DropgateError('usage', `${quoteValue(name)} is not the name of a query`, {
      hint: `A name has up to ${MAX_NAME_LENGTH} letters, digits, "_", "-" and ".", no folders, and begins with a letter or digit.`,
    });
  const isShipped = readManifest(settings.folders.sql).some((query) => query.name === name);
  const folder = dialectFolder(settings);
  const file = path.join(folder, `${name}.sql`);
  if (isShipped || (!replace && fs.existsSync(file)))
    throw new DropgateError('usage', `there is a query ${quoteValue(name)} already`, {
      hint: isShipped
        ? 'It is one of sql/manifest.yaml; take another name.'
        : 'Take another name, or replace it.',
    });
  fs.mkdirSync(folder, { recursive: true });
  await writeFileAtomic(file, sql.endsWith('\n') ? sql : `${sql}\n`);
}
