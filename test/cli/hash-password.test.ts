import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hashToken, isPassword, parsePasswordHash } from '../../src/base/secret-hash.js';
import { Site } from '../e2e/site.js';
import { repositoryRoot } from '../helpers/real-data.js';

const MAIN = path.join(repositoryRoot, 'dist/main.js');

let site: Site | undefined;
afterEach(() => site?.close());

describe('dropgate hash-password', () => {
  it('makes a hash of the first line of its input, and shows nothing else', async () => {
    const hash = execFileSync(process.execPath, [MAIN, 'hash-password'], {
      ...{ input: 'correct horse battery\nmore\n', encoding: 'utf8' },
    }).trim();
    expect(await isPassword('correct horse battery', parsePasswordHash(hash)!)).toBe(true);
  });

  it('makes up a token and prints it with its hash', () => {
    const text = execFileSync(process.execPath, [MAIN, 'hash-password', '--token'], { encoding: 'utf8' });
    const [, token, hash] = /^token: (\S+)\ntoken_hash: (\S+)\n$/.exec(text)!;
    expect(hashToken(token)).toBe(hash);
  });

  it('takes no password on the command line, and none that is short', () => {
    const run = (args: string[], input = '') =>
      spawnSync(process.execPath, [MAIN, 'hash-password', ...args], { input, encoding: 'utf8' });
    expect(run(['secret'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('takes no argument'),
    });
    expect(run([], 'short\n')).toMatchObject({ status: 2, stdout: '' });
  });
});

it('a server that others can reach does not start without server.auth', async () => {
  site = new Site({ 'dropgate.yaml': 'server: { host: 0.0.0.0 }\n' });
  const { code, stderr } = await site.run('run');
  expect([code, stderr]).toEqual([2, expect.stringContaining('there is no server.auth')]);
  expect(site.log()).toBe('');
});
