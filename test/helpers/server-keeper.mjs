/**
 * A process of its own that owns one database server and its folder. It is forked by private-server.ts and takes
 * requests over the IPC channel. When the channel closes, for whatever reason the parent ended (also `kill -9`), it
 * ends the server, removes the folder and exits, so a run can never leave a server behind.
 *
 * Plain JavaScript because it runs under bare Node, outside vitest's transformation.
 */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GIVE_UP_MS = 5_000;
const LOG_TAIL_CHARS = 4_000;

/** @type {{ uid?: number, gid?: number, parent?: string, abandonSignal: NodeJS.Signals }} */
const { uid, gid, parent, abandonSignal } = JSON.parse(process.argv[2]);
const folder = mkdtempSync(join(parent ?? tmpdir(), `dropgate-test-${process.pid}-`));
chmodSync(folder, 0o700);
if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
const logFile = join(folder, 'server.log');

/** The server, or a command that prepares its folder. @type {import('node:child_process').ChildProcess | undefined} */
let server;

const REQUESTS = {
  folder: () => folder,
  /** Runs a command to its end; rejects with its output unless it exits 0. */
  run: async ({ command, args }) => {
    server = spawnLogged(command, args);
    const code = await exitOf(server);
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${logTail()}`);
  },
  start: ({ command, args }) => {
    server = spawnLogged(command, args);
    server.on('error', () => {});
  },
  /** Whether the server process lives, and the end of its log. */
  status: () => ({ alive: isAlive(), log: logTail() }),
  /** Sends a signal and waits for the end of the process. */
  end: async ({ signal }) => {
    if (!isAlive()) return;
    server.kill(signal);
    await exitOf(server);
  },
};

process.on('message', async ({ id, request, ...rest }) => {
  try {
    answer({ id, value: await REQUESTS[request](rest) });
  } catch (error) {
    answer({ id, error: String(error?.message ?? error) });
  }
});
process.on('disconnect', abandon);
// The parent decides when to end; a signal to a whole process group must not take the server away first.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

/** A parent that is gone gets no answer; without the callback the failed write would end this process first. */
function answer(message) {
  if (process.connected) process.send(message, () => {});
}

async function abandon() {
  if (isAlive()) {
    setTimeout(() => server.kill('SIGKILL'), GIVE_UP_MS).unref();
    server.kill(abandonSignal);
    await exitOf(server);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  process.exit(0);
}

function spawnLogged(command, args) {
  const log = openSync(logFile, 'a');
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, LC_ALL: 'C' };
  const child = spawn(command, args, { uid, gid, cwd: folder, env, stdio: ['ignore', log, log] });
  closeSync(log);
  return child;
}

function isAlive() {
  return server?.pid !== undefined && server.exitCode === null && server.signalCode === null;
}

function exitOf(child) {
  return new Promise((resolve, reject) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    child.once('exit', (code, signal) => resolve(code ?? signal));
    child.once('error', reject);
  });
}

function logTail() {
  return readFileSync(logFile, 'utf8').slice(-LOG_TAIL_CHARS);
}
