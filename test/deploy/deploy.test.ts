import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from '../helpers/real-data.js';
import { tempDir } from '../helpers/temp-dir.js';

const deploy = (name: string) => readFileSync(join(repositoryRoot, 'deploy', name), 'utf8');

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version']).error === undefined;
}

describe('dropgate.service', () => {
  test.skipIf(!isInstalled('systemd-analyze'))('satisfies systemd-analyze verify', () => {
    const unit = join(tempDir(), 'dropgate.service');
    writeFileSync(unit, deploy('dropgate.service').replace('/usr/bin/node', process.execPath));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
      encoding: 'utf8',
    });
    expect({ status, complaints: (stdout + stderr).trim() }).toEqual({ status: 0, complaints: '' });
  });

  test('waits for the end longer than the daemon takes', () => {
    const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(deploy('dropgate.service'))?.[1]);
    expect(seconds * 1000).toBeGreaterThan(2 * DEFAULT_SHUTDOWN_MS);
  });
});

/** Default of shutdown_ms in dropgate.yaml; the daemon may need it twice, for the files and for the database. */
const DEFAULT_SHUTDOWN_MS = 10_000;

test('ecosystem.config.cjs starts one daemon and gives it time to end', () => {
  const { apps } = createRequire(import.meta.url)(join(repositoryRoot, 'ecosystem.config.cjs'));
  expect(apps).toHaveLength(1);
  const [app] = apps;
  expect(existsSync(join(app.cwd, app.script.replace('dist/', 'src/').replace('.js', '.ts')))).toBe(true);
  expect(app).toMatchObject({ args: 'run', exec_mode: 'fork', instances: 1, watch: false });
  expect(app.kill_timeout).toBeGreaterThan(2 * DEFAULT_SHUTDOWN_MS);
  // pm2 takes an end by kill -9 for exit code 0: with 0 here it would not start the daemon again.
  expect(app.stop_exit_codes).toEqual([2, 5]);
  expect(app.env).toEqual(environmentOfUnit());
});

function environmentOfUnit(): Record<string, string> {
  const lines = deploy('dropgate.service').matchAll(/^Environment=(.*)$/gm);
  return Object.fromEntries([...lines].flatMap(([, line]) => line.split(' ').map((one) => one.split('='))));
}

describe('crontab', () => {
  const jobs = deploy('crontab')
    .split('\n')
    .filter((line) => /^[\d*]/.test(line));
  const [, schedule, user, command] = /^(\S+ \S+ \S+ \S+ \S+)\s+(\S+)\s+(.*)$/.exec(jobs[0])!;

  test('has one job, at 6 a.m., as the service user', () => {
    expect(jobs).toHaveLength(1);
    expect([schedule, user]).toEqual(['0 6 * * *', 'dropgate']);
    expect(command).not.toMatch(/[^\\]%/);
  });

  test.each(['UTC', 'Pacific/Auckland', 'America/Los_Angeles', 'Asia/Almaty'])(
    'goes on every second day without a gap, over ends of months and clock changes, in %s',
    (zone) => {
      const days = Array.from({ length: 130 }, (_, day) =>
        new Date(Date.UTC(2027, 11, 1 + day)).toISOString().slice(0, 10),
      );
      const ran = runDays({ command, zone, days });
      expect(ran.length).toBe(65);
      const numbers = ran.map((day) => Date.parse(day) / 86_400_000);
      expect(numbers.slice(1).every((number, index) => number - numbers[index] === 2)).toBe(true);
    },
  );
});

/** The days at whose 6 a.m. the command line of a crontab goes on to start node. */
function runDays({ command, zone, days }: { command: string; zone: string; days: string[] }): string[] {
  const bin = tempDir();
  const script = command.replaceAll('\\%', '%').replace(/ node .*/, ' echo "$day"');
  // "date" as it is at 6 a.m. of $day: without a date of its own the real one is asked for that moment.
  const fake = `#!/bin/sh\ncase "$*" in *-d*) exec /bin/date "$@";; esac\nexec /bin/date -d "$day 06:00" "$@"\n`;
  writeFileSync(join(bin, 'date'), fake);
  chmodSync(join(bin, 'date'), 0o755);
  const loop = `for day in ${days.join(' ')}; do export day; (${script}); done`;
  const env = { PATH: `${bin}:${process.env.PATH}`, TZ: zone };
  return execFileSync('/bin/sh', ['-c', loop], { env, encoding: 'utf8' }).trim().split('\n');
}

describe.skipIf(!isInstalled('logrotate'))('logrotate.conf', () => {
  test.each([
    { name: 'tells a running Dropgate', isOurs: true },
    { name: 'leaves a stranger with the same pid alone', isOurs: false },
  ])('moves the log and $name', async ({ isOurs }) => {
    const root = tempDir();
    mkdirSync(join(root, 'state'));
    writeFileSync(join(root, 'conversion_log.txt'), 'a line\n');
    const script = `process.on('SIGHUP', () => process.exit(7)); setInterval(() => {}, 1e3); console.log('up')`;
    const daemon = spawn(process.execPath, [
      '-e',
      script,
      isOurs ? '/opt/dropgate/dist/main.js' : 'stranger',
    ]);
    await once(daemon.stdout, 'data');
    writeFileSync(join(root, 'state', 'lock'), `${daemon.pid}\n`);
    rotate(root);
    if (!isOurs) daemon.kill('SIGTERM');
    expect(await once(daemon, 'exit')).toEqual(isOurs ? [7, null] : [null, 'SIGTERM']);
    expect(readFileSync(join(root, 'conversion_log.txt.1'), 'utf8')).toBe('a line\n');
    expect(existsSync(join(root, 'conversion_log.txt'))).toBe(false);
  });

  test('does without a daemon', () => {
    const root = tempDir();
    writeFileSync(join(root, 'conversion_log.txt'), 'a line\n');
    rotate(root);
    expect(existsSync(join(root, 'conversion_log.txt.1'))).toBe(true);
  });
});

/** Rotates by the shipped file, with `root` in the place of /var/lib/dropgate and the tests' user in that of the service. */
function rotate(root: string): void {
  const conf = join(root, 'logrotate.conf');
  const own = deploy('logrotate.conf')
    .replaceAll('/var/lib/dropgate', root)
    .replace(/^ *su .*$/m, '');
  writeFileSync(conf, own, { mode: 0o644 });
  execFileSync('logrotate', ['--force', '--state', join(root, 'logrotate.state'), conf]);
}
