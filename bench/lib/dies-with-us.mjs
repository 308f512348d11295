import os from 'node:os';

// A signal would end this process without the event that its children are killed at.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'])
  process.once(signal, () => process.exit(128 + os.constants.signals[signal]));

/** Has a child process killed when this one ends before it. */
export function diesWithUs(child) {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}
