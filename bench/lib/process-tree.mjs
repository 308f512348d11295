import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/*
 * What a process and its descendants use, as Linux tells it in /proc. Source: proc_pid_stat(5), proc_pid_status(5).
 */

const CLOCK_TICK_MS = 10;
/** Resets VmHWM to the present size. */
const RESET_PEAK = '5';

/** User and system time that the tree has used so far, in milliseconds. */
export function cpuTimeMs(pid) {
  return sumOverTree(pid, (one) => {
    // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
    const fields = readFileSync(`/proc/${one}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
  });
}

/** Bytes of memory that the tree holds now. */
export function residentBytes(pid) {
  return sumOverTree(pid, (one) => statusBytes(one, 'VmRSS'));
}

/** The most bytes that each process of the tree has held since {@link forgetPeak}, added up. */
export function peakBytes(pid) {
  return sumOverTree(pid, (one) => statusBytes(one, 'VmHWM'));
}

export function forgetPeak(pid) {
  for (const one of treeOf(pid)) writeFileSync(`/proc/${one}/clear_refs`, RESET_PEAK);
}

function statusBytes(pid, key) {
  const line = new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(line?.[1] ?? 0) * 1024;
}

function sumOverTree(pid, measure) {
  return treeOf(pid).reduce((sum, one) => sum + measure(one), 0);
}

function treeOf(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(treeOf)];
}
