import fs from 'node:fs';
import { type Finding, Findings } from './finding.js';

const MIN_NODE = [20, 19];
const MIN_OPEN_FILES = 1024;
/** A clock before this is not set. */
const EARLIEST_YEAR = 2024;

/** Looks at the machine and the user: Node.js, rights of new files, limits, clock. */
export function examineSystem(): Finding[] {
  const findings = new Findings('system');
  examineNode(findings, process.versions.node);
  examineUser(findings);
  examineUmask(findings, readUmask());
  examineOpenFiles(findings, readProc('/proc/self/limits'));
  examineClock(findings, new Date());
  return findings.list;
}

/** @param version such as `20.19.1` */
export function examineNode(findings: Findings, version: string): void {
  const [major, minor] = version.split('.').map(Number);
  const isOldEnough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  if (isOldEnough) findings.ok('node', `Node.js ${version} on ${process.platform} ${process.arch}`);
  else {
    findings.error({
      subject: 'node',
      message: `Node.js ${version} is older than ${MIN_NODE.join('.')}`,
      remedy: `Install Node.js ${MIN_NODE.join('.')} or newer.`,
    });
  }
}

function examineUser(findings: Findings): void {
  // Not by name: in a container the user often has none.
  const uid = process.getuid?.();
  if (uid !== 0)
    findings.ok('user', uid === undefined ? 'rights are not by uid here' : `runs with uid ${uid}`);
  else {
    findings.warning({
      subject: 'user',
      message:
        'runs as root, who may do everything, so that what is said of rights is not true for other users',
      remedy: 'Run it, and this check, as a user of its own; docs/operations.md shows how.',
    });
  }
}

/** @param umask bits that new files do not get */
export function examineUmask(findings: Findings, umask: number): void {
  const shown = `umask ${umask.toString(8).padStart(4, '0')}`;
  if ((umask & 0o300) !== 0) {
    findings.error({
      subject: 'umask',
      message: `${shown} takes from the owner the right to write into new folders`,
      remedy: 'Start Dropgate with umask 022 or 027.',
    });
  } else if ((umask & 0o002) === 0) {
    findings.warning({
      subject: 'umask',
      message: `${shown} lets everybody on this machine change new files`,
      remedy: 'Start Dropgate with umask 022 or 027.',
    });
  } else findings.ok('umask', shown);
}

/** Reading it from the process would change it for a moment. */
function readUmask(): number {
  const text = /^Umask:\s*([0-7]+)/m.exec(readProc('/proc/self/status'))?.[1];
  return text === undefined ? process.umask() : Number.parseInt(text, 8);
}

/** @param limits content of /proc/self/limits; empty where there is none */
export function examineOpenFiles(findings: Findings, limits: string): void {
  const subject = 'open files';
  const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits);
  const [soft, hard] = [match?.[1], match?.[2]];
  if (soft === undefined) findings.ok(subject, 'the limit is not known on this system');
  else if (soft === 'unlimited' || Number(soft) >= MIN_OPEN_FILES) {
    findings.ok(subject, `at most ${soft} at a time`);
  } else {
    findings.warning({
      subject,
      message: `at most ${soft} at a time (the hard limit is ${hard})`,
      remedy: `Raise it with "ulimit -n ${MIN_OPEN_FILES}", or LimitNOFILE= in the systemd unit.`,
    });
  }
}

/** Only what cannot be right by itself; the clocks of disk and database are compared elsewhere. */
export function examineClock(findings: Findings, now: Date): void {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const offset = -now.getTimezoneOffset();
  const hours = `${offset < 0 ? '-' : '+'}${clock(Math.abs(offset))}`;
  if (now.getFullYear() < EARLIEST_YEAR) {
    findings.error({
      subject: 'clock',
      message: `the clock says ${now.toISOString()}`,
      remedy: 'Set it, for example with "timedatectl set-ntp true".',
    });
  } else {
    findings.ok('clock', `${now.toISOString()}, time zone ${zone} (UTC${hours}) for log and archive folders`);
  }
}

function clock(minutes: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function readProc(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
