import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DropgateError } from '../../src/base/errors.js';
import { loadSettings } from '../../src/config/load-settings.js';
import type { Settings } from '../../src/config/settings.js';
import { repositoryRoot } from '../helpers/real-data.js';

/*
 * Each folder is a configuration with either `expected.json`, an excerpt of the settings, or `expected.txt`: the
 * reason code and the message. `env.json` is its environment; `<root>` stands for the folder.
 */
const casesFolder = join(repositoryRoot, 'test/cases/config');
const cases = readdirSync(casesFolder);

function load(folder: string): Settings {
  const envFile = join(folder, 'env.json');
  const env = existsSync(envFile) ? JSON.parse(readFileSync(envFile, 'utf8')) : {};
  return loadSettings({ root: folder, configDir: folder, env });
}

function expected(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8').replaceAll('<root>', folder);
}

describe('good configurations', () => {
  it.each(cases.filter((name) => name.startsWith('good-')))('%s', (name) => {
    const folder = join(casesFolder, name);
    expect(load(folder)).toMatchObject(JSON.parse(expected(folder, 'expected.json')));
  });
});

describe('bad configurations', () => {
  it.each(cases.filter((name) => name.startsWith('bad-')))('%s', (name) => {
    const folder = join(casesFolder, name);
    const error = thrownBy(() => load(folder));
    expect(`${error.code}\n${error.message}\n`).toBe(expected(folder, 'expected.txt'));
  });

  it('shows no secret in any message', () => {
    for (const name of cases.filter((name) => name.startsWith('bad-credentials'))) {
      const { message, hint } = thrownBy(() => load(join(casesFolder, name)));
      expect(message + hint).not.toContain('hunter2');
    }
  });
});

function thrownBy(work: () => unknown): DropgateError {
  try {
    work();
  } catch (error) {
    if (error instanceof DropgateError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
