import { describe, expect, test } from 'vitest';
import { DropgateError } from '../../src/base/errors.js';
import { checkReads } from '../../src/load/read-only.js';

describe('checkReads', () => {
  test.each([
    'SELECT 1',
    '\n -- why\n/* a */ (select 1)',
    '# note\nWITH x AS (SELECT 1) SELECT * FROM x',
    'show tables',
  ])('lets pass %j', (sql) => expect(() => checkReads(sql)).not.toThrow());

  test.each([
    'DELETE FROM x',
    '',
    '-- SELECT',
    '/* SELECT */ DROP TABLE x',
    'COPY x TO PROGRAM $$rm$$',
    'selection',
    `SELECT 'x' /*!50000 INTO/**/OUTFILE */ '/tmp/x'`,
    `SELECT load_file('/etc/passwd')`,
  ])('stops %j', (sql) => expect(() => checkReads(sql)).toThrow(DropgateError));
});
