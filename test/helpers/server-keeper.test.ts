import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { waitFor } from './wait-for.js';

const KEEPER = fileURLToPath(new URL('./server-keeper.mjs', import.meta.url));

const FORK = `
  import { fork } from 'node:child_process';
  const keeper = fork(${JSON.stringify(KEEPER)}, ['{"abandonSignal":"SIGTERM"}'], { detached: true, execArgv: [] });
`;

/** Forks the keeper, has it start a long sleep as its server, and prints the keeper's folder. */
const PARENT = `
  ${FORK}
  keeper.on('message', ({ value }) => value && console.log(value));
  keeper.send({ id: 1, request: 'folder' });
  keeper.send({ id: 2, request: 'start', command: '/bin/sh', args: ['-c', 'echo $$ > pid; exec sleep 600'] });
`;

/** Stops the keeper with requests still to answer, and prints the keeper's folder and process. */
const PARENT_WITH_REQUESTS = `
  ${FORK}
  keeper.on('message', ({ value }) => {
    keeper.kill('SIGSTOP');
    for (const id of [2, 3, 4]) keeper.send({ id, request: 'folder' });
    console.log(value, keeper.pid);
  });
  keeper.send({ id: 1, request: 'folder' });
`;

/** Starts a parent, and waits for the line that it prints. */
async function startParent(code: string) {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code]);
  const [output] = (await once(parent.stdout, 'data')) as [Buffer];
  return { parent, line: output.toString().trim() };
}

test('a parent that is killed takes the server and the folder with it', async () => {
  const { parent, line: folder } = await startParent(PARENT);
  const pidFile = join(folder, 'pid');
  const pid = Number(await waitFor('the server', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8')));
  expect(() => process.kill(pid, 0)).not.toThrow();

  parent.kill('SIGKILL');

  await waitFor('the folder to vanish', () => !existsSync(folder));
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a parent that is killed before it has its answers takes the folder with it', async () => {
  const { parent, line } = await startParent(PARENT_WITH_REQUESTS);
  const [folder = '', keeper] = line.split(' ');
  const ended = once(parent, 'exit');
  parent.kill('SIGKILL');
  await ended;

  process.kill(Number(keeper), 'SIGCONT');

  await waitFor('the folder to vanish', () => !existsSync(folder));
});
