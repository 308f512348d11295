import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type SystemdNotifier, systemdNotifier } from '../../src/base/notify-systemd.js';
import { tempDir } from '../helpers/temp-dir.js';
import { waitFor } from '../helpers/wait-for.js';

/** Binds a Unix datagram socket as systemd does and prints each message on a line of its own. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('bound', flush=True)
while True: print(receiver.recv(4096).decode().strip(), flush=True)
`;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function startReceiver(): Promise<{ socket: string; messages: string[] }> {
  const socket = join(tempDir(), 'notify');
  const receiver: ChildProcess = spawn('python3', ['-c', RECEIVER, socket]);
  closers.push(() => receiver.kill());
  const messages: string[] = [];
  receiver.stdout?.on('data', (chunk: Buffer) =>
    messages.push(...chunk.toString().split('\n').filter(Boolean)),
  );
  await once(receiver.stdout!, 'data');
  messages.length = 0;
  return { socket, messages };
}

function notifierFor(env: NodeJS.ProcessEnv): { notifier: SystemdNotifier; faults: string[] } {
  const faults: string[] = [];
  const notifier = systemdNotifier({
    env: { PATH: process.env.PATH, ...env },
    onFault: (message) => faults.push(message),
  });
  closers.push(() => notifier.close());
  return { notifier, faults };
}

function isInstalled(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const missing = ['systemd-notify', 'python3'].filter((command) => !isInstalled(command));
if (missing.length > 0)
  console.warn(`Tests of the messages to systemd are skipped: ${missing.join(', ')} not installed`);

describe.skipIf(missing.length > 0)('with a receiver in the place of systemd', () => {
  test('says ready and stopping', async () => {
    const { socket, messages } = await startReceiver();
    const { notifier, faults } = notifierFor({ NOTIFY_SOCKET: socket });
    await notifier.ready();
    await waitFor('READY=1', () => messages.includes('READY=1'));
    await notifier.stopping();
    await waitFor('STOPPING=1', () => messages.includes('STOPPING=1'));
    expect(messages).not.toContain('WATCHDOG=1');
    expect(faults).toEqual([]);
  });

  test('keeps the watchdog content from ready until closed', async () => {
    const { socket, messages } = await startReceiver();
    const pings = () => messages.filter((message) => message === 'WATCHDOG=1').length;
    const { notifier } = notifierFor({
      NOTIFY_SOCKET: socket,
      WATCHDOG_USEC: '200000',
      WATCHDOG_PID: String(process.pid),
    });
    await notifier.ready();
    await waitFor('three messages', () => pings() >= 3);
    await notifier.stopping();
    const atStop = pings();
    await waitFor('a message while it stops', () => pings() > atStop);
    notifier.close();
  });

  test('a watchdog of another process is not ours', async () => {
    const { socket, messages } = await startReceiver();
    const { notifier } = notifierFor({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' });
    await notifier.ready();
    await notifier.stopping();
    await waitFor('STOPPING=1', () => messages.includes('STOPPING=1'));
    expect(messages).not.toContain('WATCHDOG=1');
  });
});

test('outside of systemd nothing is sent and nothing is started', async () => {
  const { notifier, faults } = notifierFor({ PATH: '/nonexistent', WATCHDOG_USEC: '1000' });
  await notifier.ready();
  await notifier.stopping();
  expect(faults).toEqual([]);
});

test('a message that cannot be sent is told once and stops nothing', async () => {
  const { notifier, faults } = notifierFor({ PATH: '/nonexistent', NOTIFY_SOCKET: '/nonexistent/notify' });
  await notifier.ready();
  await notifier.stopping();
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(/^systemd cannot be told READY=1: .*systemd-notify/);
});
