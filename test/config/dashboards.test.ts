import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listDashboards, readDashboard } from '../../src/config/dashboards.js';
import { loadSettings } from '../../src/config/load-settings.js';
import { repositoryRoot } from '../helpers/real-data.js';
import { tempDir } from '../helpers/temp-dir.js';

const { tables } = loadSettings({
  root: repositoryRoot,
  configDir: path.join(repositoryRoot, 'config'),
  env: {},
});

function read(text: string) {
  const root = tempDir();
  const configDir = path.join(root, 'config');
  mkdirSync(path.join(configDir, 'dashboards'), { recursive: true });
  writeFileSync(path.join(configDir, 'dashboards', 'mine.yaml'), text);
  return readDashboard('mine', { root, configDir, env: {}, tables, queries: ['fathers-jobs'] });
}

describe('a dashboard file', () => {
  it('is read as it stands', () => {
    const { dashboard } = read('title: T\npanels:\n  - { title: A, number: { table: student_data } }\n')!;
    expect(dashboard).toEqual({ title: 'T', panels: [{ title: 'A', number: { table: 'student_data' } }] });
  });

  it.each<[string, string, RegExp]>([
    ['an unknown key', 'title: T\npanel: []\n', /mine\.yaml:2: panel: unknown key; did you mean "panels"/],
    ['nothing', '', /the file is empty/],
    ['no YAML', 'title: "T\n', /mine\.yaml/],
    [
      'an unknown kind',
      panel('chart: { table: student_data, kind: pie }'),
      /mine\.yaml:3: panels\[0\]\.chart\.kind: found "pie"/,
    ],
    [
      'an unknown column',
      panel('chart: { table: student_data, kind: bar, x: studytme }'),
      /has no column "studytme"; did you mean "studytime"/,
    ],
    [
      'an unknown table',
      panel('number: { table: students }'),
      /panels\[0\]\.number\.table: there is no table "students"/,
    ],
    ['an unknown query', panel('query: fathers-job'), /no query "fathers-job"; did you mean "fathers-jobs"/],
    ['two contents', panel('query: fathers-jobs, heading: H'), /panels\[0\]: found query and heading/],
    ['no content', panel('title: H'), /panels\[0\]: found nothing/],
  ])('is told what is wrong with %s', (_, text, problem) => {
    const file = read(text)!;
    expect(file.dashboard).toBeUndefined();
    expect(file.problem).toMatch(problem);
  });

  it('is shipped for the students, without mistakes', () => {
    const site = { root: repositoryRoot, configDir: path.join(repositoryRoot, 'config'), env: {}, tables };
    const queries = [
      'mothers-jobs',
      'rural-travel-time',
      'fathers-jobs',
      'failures-by-family-size',
      'median-absences',
    ];
    expect(listDashboards(site)).toEqual(['student']);
    expect(readDashboard('student', { ...site, queries })?.problem).toBeUndefined();
    expect(readDashboard('../schema', { ...site, queries })).toBeUndefined();
  });
});

function panel(content: string): string {
  return `title: T\npanels:\n  - { ${content} }\n`;
}
