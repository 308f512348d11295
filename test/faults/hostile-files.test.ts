import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshPostgres } from '../helpers/databases.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';
import { FaultSite, type Running } from './support/site.js';
import { SmallDisk } from './support/small-disk.js';
import { credentials } from './support/targets.js';

const SCHEMA = 'people: { files: "*", columns: { id: BIGINT, name: TEXT } }\n';
/** How a configuration file takes a value from the environment. */
const FROM_ENVIRONMENT = '$'.concat('{MARKED}');
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('Devices are not tried: this process may not make one');

/** Names that break what is careless with names. Each is a whole file name. */
const NAMES = [
  'new\nline.csv',
  'carriage\rreturn.csv',
  "quote'.csv",
  'double".csv',
  '`touch pwned`.csv',
  '$(touch pwned).csv',
  '; touch pwned #.csv',
  '-rf.csv',
  '--help.csv',
  'back\\slash.csv',
  'up\\..\\..\\up.csv',
  'a..csv',
  'per%cent%s%n.csv',
  ' space at both ends .csv',
  'tab\tand\u0007bell.csv',
  'esc\u001b[31mred.csv',
  'right\u202eto left.csv',
  'emoji 🎛.csv',
  'nul\\u0000.csv',
  'CON.csv',
  'star*?[a].csv',
  'DROP TABLE people; --.csv',
  `${'x'.repeat(251)}.csv`,
  `${'ü'.repeat(125)}.csv`,
];

describe('names', () => {
  let site: FaultSite;
  let daemon: Running;
  let database: FreshDatabase;

  beforeAll(async () => {
    database = await freshPostgres();
    site = new FaultSite({ schema: SCHEMA, database: credentials('postgres', database) });
    daemon = await site.start();
    for (const [i, name] of NAMES.entries()) site.drop(name, `id,name\n${i},ann\n`);
    // No program can pass these bytes on as text.
    writeFileSync(
      Buffer.concat([Buffer.from(`${site.path('input_csv')}/caf`), Buffer.from([0xe9]), Buffer.from('.csv')]),
      'id,name\n1,a\n',
    );
    await waitFor('every other file to be put away', () => site.waiting().length === 1, {
      timeoutMs: 30_000,
    });
    await waitFor('every file to be loaded', async () => {
      const [{ n }] = await database.query('SELECT count(*) AS n FROM dropgate_loads');
      return Number(n) === NAMES.length;
    }).catch((error) => {
      throw new Error(`${error.message}\n${site.log()}`);
    });
  });
  afterAll(async () => {
    await site.close();
    await database.drop();
  });

  it('of every kind are converted, loaded and archived', async () => {
    const rows = await database.query('SELECT id FROM people ORDER BY id');
    expect(rows.map(({ id }) => Number(id))).toEqual(NAMES.map((_, i) => i));
    const files = await database.query('SELECT file FROM dropgate_loads');
    expect(files.map(({ file }) => file).sort()).toEqual([...NAMES].sort());
    const day = readdirSync(site.path('input_csv/archived'))[0];
    const archived = readdirSync(site.path('input_csv/archived', day));
    expect(archived).toHaveLength(NAMES.length);
    // All but those that leave no room for a suffix keep their names.
    for (const name of NAMES.filter((one) => Buffer.byteLength(one) < 200)) expect(archived).toContain(name);
  });

  it('lead nowhere outside of the folders, and to no shell', () => {
    expect(readdirSync(site.root).sort()).toEqual([
      'config',
      'conversion_log.txt',
      'input_csv',
      'output_parquet',
      'state',
    ]);
    expect(existsSync(path.join(site.root, '../up.csv'))).toBe(false);
    expect(existsSync('pwned')).toBe(false);
  });

  it('make one line each in the log, without control characters', () => {
    const lines = site.log().trimEnd().split('\n');
    for (const line of lines)
      expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - (INFO|WARNING|ERROR) - /);
    expect(lines.filter((line) => line.includes('Converted'))).toHaveLength(NAMES.length);
    expect(site.log()).not.toMatch(/[\0-\x09\x0b-\x1f\x7f\u202e]/);
  });

  it('that are not UTF-8 are reported once, and the file is left alone', () => {
    const told = site.log().match(/caf\\xE9\.csv/g) ?? [];
    expect(told).toHaveLength(1);
    expect(site.waiting()).toHaveLength(1);
    expect(daemon.isRunning()).toBe(true);
  });
});

const disk = SmallDisk.mount(4);
if (!disk)
  console.warn('Pipes are not tried with the failed folder on another disk: this process may not mount one');
afterAll(() => disk?.unmount());

it.skipIf(!disk)('tells once of a pipe that cannot be moved to another disk, and leaves it', async () => {
  const settings = `folders: { failed: ${JSON.stringify(path.join(disk!.folder, 'failed'))} }\n`;
  const site = new FaultSite({ schema: SCHEMA, settings });
  try {
    execFileSync('mkfifo', [site.path('input_csv', 'pipe.csv')]);
    await site.start();
    await site.logged(/Failed input_csv\/pipe\.csv: .*\[not_regular_file\].* It stays where it is/);
    for (const id of [1, 2, 3]) {
      site.drop(`good-${id}.csv`, `id,name\n${id},b\n`);
      await site.logged(`Converted input_csv/good-${id}.csv`);
    }
    expect(site.log().match(/pipe\.csv/g)).toHaveLength(1);
    expect(site.waiting()).toEqual(['pipe.csv']);
  } finally {
    await site.close();
  }
});

describe('entries that are no regular files', () => {
  let site: FaultSite;
  const secret = () => path.join(outside, 'secret.csv');
  const outside = tempDir();
  const server = createServer();

  beforeAll(async () => {
    writeFileSync(secret(), 'id,name\n1,marked-content\n');
    site = new FaultSite({ schema: SCHEMA });
    const at = (name: string) => site.path('input_csv', name);
    execFileSync('mkfifo', [at('pipe.csv')]);
    symlinkSync(secret(), at('link.csv'));
    symlinkSync('/etc/passwd', at('passwd.csv'));
    symlinkSync(path.join(outside, 'nothing'), at('dangling.csv'));
    symlinkSync(outside, at('folder-link.csv'));
    mkdirSync(at('folder.csv'));
    writeFileSync(at('folder.csv/inside.csv'), 'id,name\n1,a\n');
    await new Promise<void>((resolve) => server.listen(at('socket.csv'), resolve));
    if (isRoot) execFileSync('mknod', [at('device.csv'), 'c', '1', '5']);
    site.drop('good.csv', 'id,name\n2,b\n');
  });
  afterAll(async () => {
    server.close();
    await site.close();
  });

  it('fail without being opened, are put aside as they are, and hold up no file', async () => {
    const daemon = await site.start();
    await site.logged('Converted input_csv/good.csv');
    const others = [
      'pipe',
      'link',
      'passwd',
      'dangling',
      'folder-link',
      'socket',
      ...(isRoot ? ['device'] : []),
    ];
    for (const name of others)
      await site.logged(new RegExp(`Failed input_csv/${name}\\.csv: .*\\[not_regular_file\\]`));
    await waitFor('the input to be empty', () => site.waiting().length === 0);
    expect(lstatSync(site.path('input_csv/output_failed/link.csv')).isSymbolicLink()).toBe(true);
    expect(lstatSync(site.path('input_csv/output_failed/pipe.csv')).isFIFO()).toBe(true);
    // What a link leads to is neither read nor touched.
    expect(readFileSync(secret(), 'utf8')).toContain('marked-content');
    for (const name of others) {
      const report = readFileSync(site.path(`input_csv/output_failed/${name}.csv.report.json`), 'utf8');
      expect(report).not.toMatch(/marked-content|root:/);
    }
    // A folder is not a file, whatever it is called.
    expect(existsSync(site.path('input_csv/folder.csv/inside.csv'))).toBe(true);
    expect(daemon.isRunning()).toBe(true);
  });

  it('also when they take the place of a file at the last moment', async () => {
    for (let i = 0; i < 15; i++) {
      site.drop(`swap-${i}.csv`, 'id,name\n3,c\n');
      const link = site.path('input_csv', `.swap-${i}.part`);
      symlinkSync(secret(), link);
      await new Promise((resolve) => setTimeout(resolve, i * 4));
      renameSync(link, site.path('input_csv', `swap-${i}.csv`));
    }
    await waitFor('the input to be empty', () => site.waiting().length === 0, { timeoutMs: 30_000 });
    const tables = site
      .files('output_parquet')
      .map((name) => readFileSync(site.path('output_parquet', name), 'latin1'));
    expect(tables.join('')).not.toContain('marked-content');
  });
});

describe('what is written', () => {
  it('the state folder is for its owner alone', async () => {
    const site = new FaultSite({ schema: SCHEMA });
    await site.run(['once'], { before: 'umask 022' });
    expect(statSync(site.path('state')).mode & 0o777).toBe(0o700);
  });

  it('files get the rights that the umask leaves', async () => {
    const site = new FaultSite({ schema: SCHEMA });
    site.drop('good.csv', 'id,name\n1,a\n');
    site.drop('bad.csv', 'id,name\nx,a\n');
    await site.run(['once'], { before: 'umask 027' });
    for (const file of [
      'output_parquet/good.parquet',
      'input_csv/output_failed/bad.csv.report.json',
      'conversion_log.txt',
    ])
      expect(statSync(site.path(file)).mode & 0o777, file).toBe(0o640);
  });

  it('holds no password, whatever happens', async () => {
    const password = 'm4rked-S3cret';
    const database = await freshPostgres();
    const config = credentials('postgres', database);
    const hidden = config.replace(JSON.stringify(database.password), `"${FROM_ENVIRONMENT}"`);
    expect(hidden).not.toBe(config);
    const output: string[] = [];
    const run = async (site: FaultSite, ...args: string[]) => {
      const { stdout, stderr } = await site.run(args, { env: { MARKED: password } });
      output.push(stdout, stderr);
    };
    // 1. Refused by the server; 2. in a file that everybody may read; 3. the wrong port; 4. a configuration with a mistake.
    const sites = [
      new FaultSite({ schema: SCHEMA, database: hidden }),
      new FaultSite({ schema: SCHEMA, database: hidden.replace(FROM_ENVIRONMENT, password) }),
      new FaultSite({ schema: SCHEMA, database: hidden.replace(`"port":${database.port}`, '"port":1') }),
      new FaultSite({ schema: SCHEMA, database: hidden.replace('"port"', '"prt"') }),
    ];
    for (const site of sites) {
      site.drop('good.csv', 'id,name\n1,a\n');
      site.drop('bad.csv', 'id,name\nx,a\n');
      await run(site, 'once');
      for (const command of ['status', 'doctor']) await run(site, command);
      await run(site, 'query', 'SELECT 1');
      for (const name of readdirSync(site.root, { recursive: true }).map(String)) {
        const file = site.path(name);
        if (!lstatSync(file).isFile() || name === path.join('config', 'db_creds.yaml')) continue;
        expect(readFileSync(file, 'latin1').includes(password), file).toBe(false);
      }
    }
    expect(output.join('')).not.toContain(password);
    expect(output.join('')).toMatch(/password authentication failed/);
    await database.drop();
  }, 60_000);
});
