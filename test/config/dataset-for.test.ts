import { describe, expect, it } from 'vitest';
import { datasetFor, isCatchAll } from '../../src/config/dataset-for.js';

const datasets = [
  { name: 'students', files: 'student*.csv' },
  { name: 'maths', files: '{student-mat,maths}*' },
  { name: 'dotted', files: 'a.b?.txt' },
  { name: 'zipped', files: '*.log.gz' },
  { name: 'rest', files: '*' },
];

describe('the dataset of a file', () => {
  it.each([
    ['student.csv', 'students', []],
    ['STUDENT-1.CSV', 'students', []],
    ['student-mat.csv', 'students', ['maths']],
    ['student-mat.csv.gz', 'students', ['maths']],
    ['Student.csv.GZ', 'students', []],
    ['maths.txt', 'maths', []],
    ['a.bc.txt', 'dotted', []],
    ['axbc.txt', 'rest', []],
    ['x.log.gz', 'zipped', []],
    ['x.log', 'rest', []],
    ['new\nline.csv', 'rest', []],
    ['back\\slash.csv', 'rest', []],
    ['.gz', 'rest', []],
    ['über.csv', 'rest', []],
  ])('%s is %s', (fileName, name, alsoClaimedBy) => {
    const found = datasetFor(datasets, fileName);
    expect(found.dataset?.name).toBe(name);
    expect(found.alsoClaimedBy).toEqual(alsoClaimedBy);
  });

  it('is none when no pattern matches', () => {
    expect(datasetFor(datasets.slice(0, 2), 'other.csv')).toEqual({ dataset: undefined, alsoClaimedBy: [] });
  });

  it('is a catch-all that stands first, and the others are named', () => {
    const found = datasetFor([datasets[4], datasets[0]], 'student.csv');
    expect(found.dataset?.name).toBe('rest');
    expect(found.alsoClaimedBy).toEqual(['students']);
  });
});

it('tells a catch-all from other patterns', () => {
  expect(['*', '**'].every(isCatchAll)).toBe(true);
  expect(['*.csv', '?', 'a*', ''].some(isCatchAll)).toBe(false);
});
