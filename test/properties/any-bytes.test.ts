import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tempDir } from '../helpers/temp-dir.js';
import { filesUnder, Workshop } from '../pipeline/workshop.js';

/** What files may be made of: anything, and what looks nearly like a table. */
const CONTENT = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .array(
      fc.constantFrom(
        'id,name\n',
        '1,x\n',
        '"',
        ',',
        ';',
        '\n',
        '\r',
        '\0',
        'é',
        '\ufeff',
        '\\',
        "'",
        ' ',
        '1',
      ),
      {
        maxLength: 60,
      },
    )
    .map((parts) => Uint8Array.from(Buffer.from(parts.join('')))),
);

const COLUMNS = ['any', '{ id: INTEGER, name: TEXT }', '{ id: { type: INTEGER, nullable: true } }'];
const POLICIES = [
  'ragged: rescue, extra_columns: rescue, missing: keep, duplicates: keep',
  'ragged: set_aside, invalid: set_aside, max_set_aside: 100%',
  'ragged: fail_file, duplicates: fail_file',
];

/** Whatever is dropped, under whatever name it may have: one verdict, one place, and rows that add up. */
it('any bytes come to a verdict, and the original is kept to the byte', { timeout: 120_000 }, async () => {
  for (const columns of COLUMNS) {
    for (const policy of POLICIES) {
      const config = `d: { files: "*", columns: ${columns}, ${policy} }\n`;
      const workshop = await Workshop.open({ root: tempDir(), config });
      const { archive, failed, input } = workshop.settings.folders;
      let count = 0;
      try {
        await fc.assert(
          fc.asyncProperty(
            CONTENT,
            fc.constantFrom('.csv', '.tsv', '.txt', '.csv.gz'),
            async (content, extension) => {
              const name = `file-${count++}${extension}`;
              const published = await workshop.deliver(name, content);
              const place = published.kind === 'failed' ? published.failed : published.original;
              expect(sha256(fs.readFileSync(place!))).toBe(sha256(content));
              expect(filesUnder(input).filter((file) => path.basename(file) === name)).toHaveLength(1);
              if (!('report' in published.result) || !published.result.report) return;
              const { counts } = published.result.report;
              expect(counts.rows_in).toBe(
                counts.rows_out + counts.dropped_missing + counts.dropped_duplicate + counts.set_aside,
              );
            },
          ),
          { numRuns: 60 },
        );
        expect(filesUnder(archive).length + filesUnder(failed).length).toBeGreaterThanOrEqual(count);
        expect(
          filesUnder(workshop.root).filter((file) => path.basename(file).startsWith('.dropgate-')),
        ).toEqual([]);
      } finally {
        workshop.close();
      }
    }
  }
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
