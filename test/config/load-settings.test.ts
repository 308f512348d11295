import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load-settings.js';
import type { DatabaseSettings, DeclaredColumn, Settings } from '../../src/config/settings.js';
import { realStudentCsv, repositoryRoot } from '../helpers/real-data.js';
import { tempDir } from '../helpers/temp-dir.js';

/** Writes configuration files into a new folder, or the given one. */
function configure(files: Record<string, string>, root = tempDir()): string {
  mkdirSync(join(root, 'config'), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, 'config', name), content);
  return root;
}

function load(files: Record<string, string>, env: Record<string, string> = {}): Settings {
  const root = configure(files);
  return loadSettings({ root, configDir: join(root, 'config'), env });
}

const SCHEMA = { 'schema.yaml': 'age: INTEGER\n' };
const SERVER = 'engine: postgres, host: db, user: u, database: d';

describe('settings', () => {
  it('are deeply frozen', () => {
    const settings = load({ ...SCHEMA, 'db_creds.yaml': `database: { ${SERVER}, ssl: true }` });
    const thawed: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) thawed.push(path);
      for (const [key, child] of Object.entries(value)) visit(child, `${path}.${key}`);
    };
    visit(settings, 'settings');
    expect(thawed).toEqual([]);
  });

  it('survive the way into a worker thread', () => {
    const settings = loadSettings({
      root: repositoryRoot,
      configDir: join(repositoryRoot, 'config'),
      env: {},
    });
    expect(structuredClone(settings)).toEqual(settings);
  });

  it('have absolute paths also when given relative ones', () => {
    const root = configure(SCHEMA);
    const before = process.cwd();
    process.chdir(dirname(root));
    try {
      const name = root.slice(dirname(root).length + 1);
      const settings = loadSettings({ root: name, configDir: `${name}/config`, env: {} });
      expect(settings.root).toBe(root);
      expect(settings.configDir).toBe(join(root, 'config'));
      expect(settings.folders.archive).toBe(join(root, 'input_csv/archived'));
      expect(settings.folders.failed).toBe(join(root, 'input_csv/output_failed'));
    } finally {
      process.chdir(before);
    }
  });

  it('use as many workers as there are cores', () => {
    expect(load(SCHEMA).intake.workers).toBe(availableParallelism());
  });

  it('name no table after what every object has', () => {
    const { tables } = load(SCHEMA);
    expect(tables.constructor).toBeUndefined();
    expect(Object.keys(tables)).toEqual(['data']);
  });

  it('read a file with a byte order mark and CRLF line ends', () => {
    const settings = load({ 'schema.yaml': '\ufeffage: INTEGER\r\nsex: CHAR(1)\r\n' });
    expect(settings.datasets[0].columns).toMatchObject([
      { name: 'age' },
      { name: 'sex', where: 'config/schema.yaml:2' },
    ]);
  });
});

describe('files that cannot be read', () => {
  it('name the file and the reason', () => {
    const root = configure({});
    mkdirSync(join(root, 'config/schema.yaml'));
    expect(() => loadSettings({ root, configDir: join(root, 'config'), env: {} })).toThrow(
      expect.objectContaining({
        code: 'config_missing',
        message: expect.stringMatching(/^config\/schema\.yaml: cannot be read: .*EISDIR/),
      }),
    );
  });

  it('are named in full outside the root folder', () => {
    const [root, configDir] = [tempDir(), tempDir()];
    expect(() => loadSettings({ root, configDir, env: {} })).toThrow(
      `${join(configDir, 'schema.yaml')}: the file is missing`,
    );
  });
});

describe('the password', () => {
  const literal = `database: { ${SERVER}, password: hunter2 }`;
  const warningsOf = (content: string, mode: number, env: Record<string, string> = {}): string[] => {
    const root = configure({ ...SCHEMA, 'db_creds.yaml': content });
    chmodSync(join(root, 'config/db_creds.yaml'), mode);
    return loadSettings({ root, configDir: join(root, 'config'), env }).warnings;
  };

  it('in a file that everybody can read is warned about, with the remedy and without the password', () => {
    const warnings = warningsOf(literal, 0o644);
    expect(warnings).toEqual([
      expect.stringMatching(/^config\/db_creds\.yaml:1: .*chmod 600 .*db_creds\.yaml/),
    ]);
    expect(warnings[0]).not.toContain('hunter2');
  });

  it('in a private file is not', () => {
    expect(warningsOf(literal, 0o600)).toEqual([]);
    expect(warningsOf(literal, 0o640)).toEqual([]);
  });

  it('from the environment is not', () => {
    const content = `database: { ${SERVER}, password: "\${PW}" }`;
    expect(warningsOf(content, 0o644, { PW: 'hunter2' })).toEqual([]);
  });

  it('as a default in the file is, but an empty one is not', () => {
    const content = `database: { ${SERVER}, password: "\${PW:-hunter2}" }`;
    expect(warningsOf(content, 0o644)).toHaveLength(1);
    expect(warningsOf(content, 0o644, { PW: 'other' })).toEqual([]);
    expect(warningsOf(`database: { ${SERVER}, password: "" }`, 0o644)).toEqual([]);
  });

  it('keeps its text whatever it looks like', () => {
    const passwordOf = (text: string, env = {}) => {
      const { database } = load(
        {
          ...SCHEMA,
          'db_creds.yaml': `database:\n  ${SERVER.replaceAll(', ', '\n  ')}\n  password: ${text}`,
        },
        env,
      );
      return (database as Extract<DatabaseSettings, { password: string }>).password;
    };
    expect(passwordOf('0123')).toBe('0123');
    expect(passwordOf('1e3')).toBe('1e3');
    expect(passwordOf('true')).toBe('true');
    expect(passwordOf('')).toBe('');
    expect(passwordOf('$' + '{PW}', { PW: '0x10' })).toBe('0x10');
    expect(passwordOf("'a: #b'")).toBe('a: #b');
    expect(passwordOf('$' + '{PW}', { PW: 'a: {b' })).toBe('a: {b');
  });
});

describe('TLS files', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

  it('are read relative to the configuration folder', () => {
    const credentials = `database: { ${SERVER}, ssl: { ca: tls/ca.pem, reject_unauthorized: false } }`;
    const root = configure({ ...SCHEMA, 'db_creds.yaml': credentials });
    mkdirSync(join(root, 'config/tls'));
    writeFileSync(join(root, 'config/tls/ca.pem'), pem);
    const { database } = loadSettings({ root, configDir: join(root, 'config'), env: {} });
    expect(database).toMatchObject({ ssl: { ca: pem, rejectUnauthorized: false } });
  });

  it('must be PEM', () => {
    const credentials = `database: { ${SERVER}, ssl: { ca: schema.yaml } }`;
    expect(() => load({ ...SCHEMA, 'db_creds.yaml': credentials })).toThrow(
      'config/db_creds.yaml:1: database.ssl.ca: the file "schema.yaml" is not in PEM format',
    );
  });
});

describe('the socket of the embedded database', () => {
  const socketDirOf = (root: string) => {
    configure(SCHEMA, root);
    const { database } = loadSettings({ root, configDir: join(root, 'config'), env: {} });
    return (database as Extract<DatabaseSettings, { engine: 'embedded' }>).socketDir;
  };

  it('lies in the state folder where its path is short enough', () => {
    const root = tempDir();
    expect(socketDirOf(root)).toBe(join(root, 'state/run'));
  });

  it('has a short, repeatable path of its own where it is not', () => {
    const deep = join(tempDir(), 'x'.repeat(50), 'y'.repeat(50));
    const folder = socketDirOf(deep);
    expect(dirname(folder)).toBe(tmpdir());
    expect(socketDirOf(deep)).toBe(folder);
    expect(socketDirOf(join(deep, 'z'))).not.toBe(folder);
  });
});

describe('the shipped configuration', () => {
  const settings = loadSettings({ root: repositoryRoot, configDir: join(repositoryRoot, 'config'), env: {} });
  const [dataset] = settings.datasets;
  const columns = dataset.columns as DeclaredColumn[];

  it('needs no server and has nothing to warn of', () => {
    expect(settings.database.engine).toBe('embedded');
    expect(settings.warnings).toEqual([]);
  });

  it('has one dataset with 33 columns and its table with the same columns and types', () => {
    expect(settings.datasets).toHaveLength(1);
    expect(columns).toHaveLength(33);
    expect(settings.tables.student_data.columns).toEqual(columns.map(({ name, type }) => ({ name, type })));
  });

  it.skipIf(!realStudentCsv)('fits the real student file entirely', () => {
    const rows: string[][] = parse(readFileSync(realStudentCsv!), { delimiter: ';', relax_quotes: false });
    expect(rows[0]).toEqual(columns.map(({ name }) => name));
    expect(rows).toHaveLength(396);
    const ajv = new Ajv({ strictTypes: false });
    const misfits = columns.flatMap(({ name, type, rules }, index) => {
      const accepts = ajv.compile({ ...rules });
      const cells = rows.slice(1).map((row) => row[index].trim().toLowerCase());
      return cells
        .filter((cell) => {
          if (type.kind === 'integer') return !/^\d+$/.test(cell) || !accepts(Number(cell));
          return cell.length > type.length! || !accepts(cell);
        })
        .map((cell) => `${name}: ${cell}`);
    });
    expect(misfits).toEqual([]);
  });
});
