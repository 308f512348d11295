import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DropgateError } from '../../src/base/errors.js';
import { loadSettings } from '../../src/config/load-settings.js';
import { compiledSchemas } from '../../vite.compiled-schemas.js';
import { builtModule } from '../helpers/built-module.js';
import { repositoryRoot } from '../helpers/real-data.js';

/*
 * Each folder is a configuration with either `expected.json`, an excerpt of the settings, or `expected.txt`: the
 * reason code and the message. `env.json` is its environment; `<root>` stands for the folder. Each is read twice: the schemas
 * are compiled by the program itself, and by its build.
 */
const casesFolder = join(repositoryRoot, 'test/cases/config');
const cases = readdirSync(casesFolder);

const built = builtModule('src/config/load-settings.ts', [compiledSchemas()]);
const { loadSettings: loadSettingsAsBuilt } = (await import(await built)) as {
  loadSettings: typeof loadSettings;
};

const readers = [
  { by: 'from source', read: loadSettings },
  { by: 'as built', read: loadSettingsAsBuilt },
];

function load(folder: string, read: typeof loadSettings): unknown {
  const envFile = join(folder, 'env.json');
  const env = existsSync(envFile) ? JSON.parse(readFileSync(envFile, 'utf8')) : {};
  return read({ root: folder, configDir: folder, env });
}

function expected(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8').replaceAll('<root>', folder);
}

describe.each(readers)('good configurations, $by', ({ read }) => {
  it.each(cases.filter((name) => name.startsWith('good-')))('%s', (name) => {
    const folder = join(casesFolder, name);
    expect(load(folder, read)).toMatchObject(JSON.parse(expected(folder, 'expected.json')));
  });
});

describe.each(readers)('bad configurations, $by', ({ read }) => {
  it.each(cases.filter((name) => name.startsWith('bad-')))('%s', (name) => {
    const folder = join(casesFolder, name);
    const error = thrownBy(() => load(folder, read));
    expect(`${error.code}\n${error.message}\n`).toBe(expected(folder, 'expected.txt'));
  });

  it('shows no secret in any message', () => {
    for (const name of cases.filter((name) => name.startsWith('bad-credentials'))) {
      const { message, hint } = thrownBy(() => load(join(casesFolder, name), read));
      expect(message + hint).not.toContain('hunter2');
    }
  });
});

function thrownBy(work: () => unknown): DropgateError {
  try {
    work();
  } catch (error) {
    // What was built has a class of its own.
    if ((error as Error).name === 'DropgateError') return error as DropgateError;
    throw error;
  }
  throw new Error('nothing was thrown');
}
