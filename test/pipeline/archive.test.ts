import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { removeOldArchives } from '../../src/pipeline/archive.js';
import { localDate } from '../../src/pipeline/publish.js';
import { tempDir } from '../helpers/temp-dir.js';

const HOUR_MS = 3_600_000;
const { TZ } = process.env;
afterEach(() => {
  if (TZ === undefined) delete process.env.TZ;
  else process.env.TZ = TZ;
});

/** An archive with a folder, and a file in it, for each name. */
function archiveWith(...names: string[]): string {
  const archive = tempDir();
  for (const name of names) {
    fs.mkdirSync(path.join(archive, name));
    fs.writeFileSync(path.join(archive, name, 'scores.csv'), 'x');
  }
  return archive;
}

function daysAgo(days: number): string {
  return localDate(new Date(Date.now() - days * 24 * HOUR_MS));
}

describe('old archive folders', () => {
  it('are removed, younger ones and whatever else is there is not', async () => {
    const others = ['2026-11', 'notes', '2026-11-22-copy', '9999-99-99'];
    const archive = archiveWith(daysAgo(0), daysAgo(29), daysAgo(32), daysAgo(400), ...others);
    expect(await removeOldArchives(archive, 30)).toBe(2);
    expect(fs.readdirSync(archive).sort()).toEqual([daysAgo(0), daysAgo(29), ...others].sort());
  });

  it('are kept for ever with 0, and need not be there', async () => {
    const archive = archiveWith(daysAgo(4000));
    expect(await removeOldArchives(archive, 0)).toBe(0);
    expect(fs.readdirSync(archive)).toHaveLength(1);
    expect(await removeOldArchives(path.join(archive, 'not there'), 30)).toBe(0);
  });

  it.each(['Pacific/Kiritimati', 'UTC', 'Pacific/Pago_Pago'])('are no day too young in %s', async (zone) => {
    process.env.TZ = zone;
    // A file that was archived in the last moment of a day must stay for a whole day more.
    const archive = archiveWith(daysAgo(1), daysAgo(2.1 + 1));
    await removeOldArchives(archive, 1);
    expect(fs.readdirSync(archive)).toEqual([daysAgo(1)]);
  });
});
