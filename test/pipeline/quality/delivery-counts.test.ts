import { afterEach, expect, it } from 'vitest';
import { Workshop } from '../workshop.js';

const open: Workshop[] = [];
afterEach(() => {
  for (const workshop of open.splice(0)) workshop.close();
});

const SCHEMA = `
people:
  files: "*"
  invalid: set_aside
  max_set_aside: 60%
  columns: { name: TEXT, age: INTEGER }
`;

it('counts each delivery once, whatever is done again after it', async () => {
  const workshop = await Workshop.open({ config: SCHEMA });
  open.push(workshop);
  await workshop.deliver('a.csv', 'name,age\nann,3\nbob,x\n,y\nann,3\n');
  await workshop.deliver('b.csv', 'name,age\nann,4\n');
  await workshop.deliver('b.csv', 'name,age\nann,4\n');
  await workshop.deliver('c.csv', 'nothing\n');
  // A crash behind the ledger: the original lies in the input folder again, the delivery is known.
  const file = workshop.drop('d.csv', 'name,age\ncem,5\n');
  const judged = [{ file, result: await workshop.convert(file) }];
  await workshop.publisher.publish(judged);
  workshop.drop('d.csv', 'name,age\ncem,5\n');
  await workshop.restart();
  await workshop.takeAll();
  const all = { since: '0000', until: '9999' };
  const { quality } = workshop.ledger;
  const counts = [...quality.counts(all, 'all'), ...quality.violations(all, 9)];
  const shown = counts.map((one) => [one.kind, one.code, one.column, one.files, one.rows, one.leftOut]);
  expect(shown).toEqual([
    ['converted', '', '', 3, 3, 3],
    ['duplicate', '', '', expect.any(Number), 0, 0],
    ['failed', 'unknown_column', '', 1, 0, 0],
    ['violation', 'wrong_type', 'age', 1, 2, 0],
    ['violation', 'duplicate_row', '', 1, 1, 0],
    ['violation', 'missing_value', 'name', 1, 1, 0],
  ]);
});
