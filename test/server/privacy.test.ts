import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load-settings.js';
import { hiddenColumns, maySeeLines, maySeeSql, refuseHiddenSql } from '../../src/server/privacy.js';
import type { User } from '../../src/server/user.js';
import { Site } from '../e2e/site.js';

const [viewer, analyst, admin] = (['viewer', 'analyst', 'admin'] as const).map(
  (role): User => ({ name: role, role }),
);

function settingsOf(schema: string) {
  const site = new Site({
    'schema.yaml': schema,
    'schema_sql.yaml': '',
    'db_creds.yaml': 'database: { engine: none }\n',
  });
  return loadSettings({ root: site.root, configDir: site.path('config'), env: {} });
}

const settings = settingsOf(`
people: { files: "p*", columns: { Name: { type: TEXT, private: true }, age: INTEGER }, ragged: rescue }
open: { files: "o*", columns: { x: INTEGER } }
any: { files: "*", columns: any }
`);

describe('private columns', () => {
  it('are hidden from all but admins, with what may hold their values by mistake', () => {
    const hidden = (dataset: string, user: User) => [...hiddenColumns(settings, { dataset, user })];
    for (const user of [viewer, analyst]) {
      expect(hidden('people', user)).toEqual(['name', '_rescued']);
      expect(hidden('open', user)).toEqual([]);
      expect(hidden('any', user)).toEqual([]);
    }
    expect(hidden('people', admin)).toEqual([]);
  });

  it('hide the lines of their files, and of files that may be theirs', () => {
    const sees = (dataset: string | undefined, user: User) => maySeeLines(settings, { dataset, user });
    expect([sees('people', analyst), sees('open', analyst)]).toEqual([false, true]);
    expect([sees(undefined, analyst), sees('taken out', analyst)]).toEqual([false, false]);
    expect([sees('people', admin), sees(undefined, admin)]).toEqual([true, true]);
  });

  it('leave SQL to admins, and only as long as there are any', () => {
    expect([maySeeSql(settings, analyst), maySeeSql(settings, admin)]).toEqual([false, true]);
    expect(() => refuseHiddenSql(settings, analyst)).toThrow('private columns (in people)');
    const open = settingsOf('open: { files: "*", columns: { x: INTEGER } }\n');
    expect([maySeeSql(open, viewer), maySeeLines(open, { dataset: undefined, user: viewer })]).toEqual([
      true,
      true,
    ]);
  });
});
