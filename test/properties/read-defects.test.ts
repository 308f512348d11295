import { describe, expect, it } from 'vitest';
import { tempDir } from '../helpers/temp-dir.js';
import { type ReadTable, readBytes } from '../read/reading.js';
import { type DefectFile, defectFiles } from './defects.js';
import { pollutedFiles } from './pollutions.js';

/*
 * Files with one defect each, read with everything kept (`columns: any`, `ragged: rescue`): the share that is read as
 * its writer meant it. A sample of them is read by default, all with DEFECTS=all (`npm run defects`).
 */

const folder = tempDir();
const EVERY = process.env.DEFECTS === 'all' ? 1 : 7;
const AIM = 0.995;

describe('files with one defect', () => {
  it.each([
    ['of every kind in a small table', defectFiles],
    ['after the list of a published benchmark', pollutedFiles],
  ])('are read as their writers meant them: %s', { timeout: 300_000 }, async (_, files) => {
    let count = 0;
    const wrong: string[] = [];
    let index = 0;
    for (const file of files()) {
      if (index++ % EVERY !== 0) continue;
      count++;
      const fault = await faultOf(file);
      if (fault !== undefined) wrong.push(`${file.name}: ${fault}`);
    }
    const share = 1 - wrong.length / count;
    console.info(`${count} files, ${(share * 100).toFixed(2)} % read as intended`);
    if (process.env.DEFECTS === 'all') console.info(wrong.join('\n'));
    expect(share, wrong.join('\n')).toBeGreaterThanOrEqual(AIM);
  });
});

/** What is wrong with the reading of a file; undefined when nothing is. */
async function faultOf(file: DefectFile): Promise<string | undefined> {
  let table: ReadTable;
  try {
    table = await readBytes(folder, file.content, { keepRagged: true, mendHeader: true });
  } catch (error) {
    return String(error);
  }
  const { dialect } = table.findings;
  const shown = `[${JSON.stringify(dialect)}, header ${JSON.stringify(table.header)}]`;
  if (!sameCells(table.header ?? [], file.header ?? [])) return `header ${shown}`;
  const records = table.rows.map(({ cells, surplus }) => [...cells, ...(surplus ?? [])]);
  const lines = table.irregular.map(({ line }) => line);
  if (JSON.stringify(lines) !== JSON.stringify(file.irregularLines ?? []))
    return `irregular lines ${lines} ${shown}`;
  if (records.length !== file.records.length)
    return `${records.length} records instead of ${file.records.length} ${shown}`;
  const bad = records.findIndex((cells, i) => !sameCells(cells, file.records[i]));
  if (bad >= 0)
    return `record ${bad + 1} is ${JSON.stringify(records[bad])} instead of ${JSON.stringify(file.records[bad])} ${shown}`;
  return undefined;
}

/** Are the cells the same, empty ones at the end aside? */
function sameCells(a: readonly string[], b: readonly string[]): boolean {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => (a[i] ?? '') === (b[i] ?? '')).every(Boolean);
}
