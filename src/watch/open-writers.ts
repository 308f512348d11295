import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A file that might be held open. */
export interface WriterTarget {
  /** Absolute. */
  path: string;
  dev: bigint;
  ino: bigint;
}

/** Longest stretch of work between two turns of the event loop. */
const SLICE_MS = 4;

/** The access mode in the open flags of fdinfo; O_RDONLY is 0. Source: proc_pid_fdinfo(5), fcntl.h. */
const O_ACCMODE = 3;

/**
 * Finds which of the files some process holds open for writing: one walk over /proc for all of them (about 8 µs an
 * open descriptor on the machine). Processes of other users that may not be inspected are passed over, and where
 * there is no /proc nothing is found. The calls are synchronous, as /proc lives in memory, but in slices of 4 ms.
 * @param procRoot replaced by tests
 * @returns pid of one writer by path
 */
export async function findOpenWriters(
  targets: readonly WriterTarget[],
  procRoot = '/proc',
): Promise<Map<string, number>> {
  const writers = new Map<string, number>();
  if (targets.length === 0) return writers;
  const targetsByName = groupByName(targets);
  let sliceEndMs = performance.now() + SLICE_MS;
  for (const pid of namesIn(procRoot)) {
    if (!/^\d+$/.test(pid)) continue;
    for (const target of writtenBy(path.join(procRoot, pid), targetsByName)) {
      writers.set(target.path, Number(pid));
    }
    if (performance.now() < sliceEndMs) continue;
    await nextTurn();
    sliceEndMs = performance.now() + SLICE_MS;
  }
  return writers;
}

function groupByName(targets: readonly WriterTarget[]): Map<string, WriterTarget[]> {
  const groups = new Map<string, WriterTarget[]>();
  for (const target of targets) {
    const name = path.basename(target.path);
    const group = groups.get(name);
    if (group) group.push(target);
    else groups.set(name, [target]);
  }
  return groups;
}

function* writtenBy(
  processFolder: string,
  targetsByName: ReadonlyMap<string, WriterTarget[]>,
): Generator<WriterTarget> {
  for (const fd of namesIn(`${processFolder}/fd`)) {
    const link = attempt(() => readlinkSync(`${processFolder}/fd/${fd}`));
    if (link === undefined) continue;
    // The folder part is as the other process sees it, which in a container is not as we do: compare the inode instead.
    const sameName = targetsByName.get(link.slice(link.lastIndexOf('/') + 1));
    if (!sameName) continue;
    const stats = attempt(() => statSync(`${processFolder}/fd/${fd}`, { bigint: true }));
    const target = sameName.find(({ dev, ino }) => stats?.dev === dev && stats.ino === ino);
    if (target && isOpenForWriting(`${processFolder}/fdinfo/${fd}`)) yield target;
  }
}

function isOpenForWriting(fdinfo: string): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(attempt(() => readFileSync(fdinfo, 'latin1')) ?? '');
  return flags !== null && (Number.parseInt(flags[1], 8) & O_ACCMODE) !== 0;
}

function namesIn(folder: string): string[] {
  return attempt(() => readdirSync(folder)) ?? [];
}

/** Processes and descriptors vanish while we look, and many are not ours to see: neither is an error. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
