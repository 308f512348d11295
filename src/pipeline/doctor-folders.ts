import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf } from '../base/errors.js';
import { fileOps, removeFile, tempPathFor } from '../base/files.js';
import { formatBytes, formatDuration } from '../base/text.js';
import type { Settings } from '../config/settings.js';
import { listenToFolder } from '../watch/folder-events.js';
import { type Finding, Findings } from './finding.js';

/** Folders that are written to. */
const WORKING_FOLDERS = ['input', 'archive', 'failed', 'output', 'outputFailed', 'state'] as const;
type WorkingFolder = (typeof WORKING_FOLDERS)[number];

/** Files move between these by rename, which one file system does in one step. */
const MOVES: [WorkingFolder, WorkingFolder][] = [
  ['input', 'archive'],
  ['input', 'failed'],
  ['output', 'outputFailed'],
];

const MIN_FREE_BYTES = 100_000_000;
const LOW_FREE_BYTES = 1_000_000_000;
const LOW_FREE_INODES = 10_000;
const MAX_CLOCK_SKEW_MS = 2000;

/** Types of file systems from statfs(2) whose changes inotify does not see when another machine makes them. */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
]);

/** Looks at the folders: are they there, can they be worked with, is there room, can they be watched. */
export async function examineFolders(settings: Settings): Promise<Finding[]> {
  const findings = new Findings('folders');
  const { folders } = settings;
  for (const name of WORKING_FOLDERS)
    await examineFolder(findings, shown(settings, folders[name]), folders[name]);
  examineLogFile(findings, settings);
  examineSql(findings, settings);
  for (const [from, to] of MOVES) examineMove(findings, settings, { from, to });
  examineSpace(findings, settings);
  await examineWatching(findings, settings);
  return findings.list;
}

function shown({ root }: Settings, folder: string): string {
  const relative = path.relative(root, folder);
  return relative === '' || relative.startsWith('..') ? folder : relative;
}

async function examineFolder(findings: Findings, subject: string, folder: string): Promise<void> {
  if (!fs.existsSync(folder)) examineMissing(findings, subject, folder);
  else if (!fs.statSync(folder).isDirectory()) {
    const remedy = 'Move it away, or name another folder in dropgate.yaml.';
    findings.error({ subject, message: 'is not a folder', remedy });
  } else {
    const problems = await probe(folder);
    if (problems.length === 0) findings.ok(subject, 'can be written to, synced and linked in');
    for (const { isError, ...problem } of problems) {
      if (isError) findings.error({ subject, ...problem });
      else findings.warning({ subject, ...problem });
    }
  }
}

function examineMissing(findings: Findings, subject: string, folder: string): void {
  const above = existingPart(folder);
  try {
    if (!fs.statSync(above).isDirectory()) throw new Error(`${above} is not a folder`);
    fs.accessSync(above, fs.constants.W_OK | fs.constants.X_OK);
    findings.ok(subject, 'is not there yet; it is made at the first start');
  } catch (error) {
    const remedy = `Make the folder, and give the user of Dropgate the right to write into it.`;
    findings.error({ subject, message: `is not there and cannot be made: ${messageOf(error)}`, remedy });
  }
}

/** The folder itself, or the nearest one above it that is there. */
function existingPart(folder: string): string {
  let part = folder;
  while (!fs.existsSync(part) && path.dirname(part) !== part) part = path.dirname(part);
  return part;
}

interface Problem {
  isError: boolean;
  message: string;
  remedy: string;
}

/** Does with two temporary files what the work will need. */
async function probe(folder: string): Promise<Problem[]> {
  const [file, second] = [tempPathFor(path.join(folder, 'x')), tempPathFor(path.join(folder, 'x'))];
  try {
    const writing = await attempt(() => writeSynced(file), {
      isError: true,
      message: 'cannot be written to',
      remedy:
        'Give the user of Dropgate the right to read and write there; check that the disk is not mounted read-only.',
    });
    if (writing) return [writing];
    const linking = await attempt(() => fileOps.link(file, second), {
      isError: false,
      message:
        'knows no hard links, so a name is reserved by an empty file first, which a kill can leave behind',
      remedy: 'Nothing is lost by that; a Linux file system would do without.',
    });
    const syncing = await attempt(() => syncStrictly(folder), {
      isError: false,
      message: 'cannot be synced, so that a power cut may undo the last renames',
      remedy: 'Files are then converted again; a local disk would do without.',
    });
    return [linking, syncing, clockProblem(file)].filter((problem) => problem !== undefined);
  } finally {
    for (const temp of [file, second]) await removeFile(temp).catch(() => undefined);
  }
}

async function attempt(work: () => Promise<void>, problem: Problem): Promise<Problem | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { ...problem, message: `${problem.message}: ${errnoOf(error) ?? messageOf(error)}` };
  }
}

async function writeSynced(file: string): Promise<void> {
  const handle = await fileOps.open(file, 'wx');
  try {
    await handle.writeFile('x');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncStrictly(folder: string): Promise<void> {
  const handle = await fileOps.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function clockProblem(file: string): Problem | undefined {
  const skewMs = Math.abs(Date.now() - fs.statSync(file).mtimeMs);
  if (skewMs <= MAX_CLOCK_SKEW_MS) return undefined;
  return {
    isError: false,
    message: `its clock differs by ${formatDuration(skewMs)} from that of this machine`,
    remedy: 'Let both machines take the time from the same source (NTP); files may wait too long meanwhile.',
  };
}

function examineLogFile(findings: Findings, settings: Settings): void {
  const { logFile } = settings.folders;
  const subject = shown(settings, logFile);
  const target = fs.existsSync(logFile) ? logFile : existingPart(path.dirname(logFile));
  try {
    fs.accessSync(target, fs.constants.W_OK);
    findings.ok(subject, target === logFile ? 'can be written to' : 'is made at the first start');
  } catch (error) {
    const remedy = 'Give the user of Dropgate the right to write there, or set folders.log_file.';
    findings.error({ subject, message: `cannot be written: ${messageOf(error)}`, remedy });
  }
}

function examineSql(findings: Findings, settings: Settings): void {
  const { sql } = settings.folders;
  const subject = shown(settings, sql);
  try {
    fs.readdirSync(sql);
    findings.ok(subject, 'can be read');
  } catch (error) {
    const remedy = 'Make it, or set folders.sql, if "dropgate query NAME" is to be used.';
    findings.warning({ subject, message: `cannot be read: ${errnoOf(error) ?? messageOf(error)}`, remedy });
  }
}

function examineMove(
  findings: Findings,
  settings: Settings,
  { from, to }: { from: WorkingFolder; to: WorkingFolder },
): void {
  const [source, target] = [settings.folders[from], settings.folders[to]];
  const subject = `${shown(settings, source)} to ${shown(settings, target)}`;
  const [a, b] = [source, target].map((folder) => fs.statSync(existingPart(folder)).dev);
  if (a === b) findings.ok(subject, 'one file system, so that files move in one step');
  else {
    findings.warning({
      subject,
      message: 'two file systems, so that files are copied and then deleted',
      remedy: 'Put both on the same disk; nothing is lost otherwise, it takes longer.',
    });
  }
}

/** Once a file system. */
function examineSpace(findings: Findings, { folders }: Settings): void {
  const places = new Map<number, string>();
  for (const name of WORKING_FOLDERS) {
    const place = existingPart(folders[name]);
    const { dev } = fs.statSync(place);
    if (!places.has(dev)) places.set(dev, place);
  }
  for (const place of places.values()) {
    const { bavail, bsize, files, ffree } = fs.statfsSync(place);
    judgeSpace(findings, { place, freeBytes: bavail * bsize, freeInodes: files === 0 ? undefined : ffree });
  }
}

/** What is left on one disk; `freeInodes` is absent where the file system does not count them. */
export interface Space {
  place: string;
  freeBytes: number;
  freeInodes?: number;
}

/** Judges how much room is left. */
export function judgeSpace(findings: Findings, { place, freeBytes, freeInodes }: Space): void {
  const subject = 'disk space';
  const message = `${formatBytes(freeBytes)} free at ${place}`;
  const remedy = 'Make room: archived originals may be deleted, archive_days keeps fewer of them.';
  if (freeBytes < MIN_FREE_BYTES) findings.error({ subject, message, remedy });
  else if (freeBytes < LOW_FREE_BYTES) findings.warning({ subject, message, remedy });
  else if (freeInodes !== undefined && freeInodes < LOW_FREE_INODES) {
    findings.warning({ subject, message: `room for ${freeInodes} more files only at ${place}`, remedy });
  } else findings.ok(subject, message);
}

async function examineWatching(findings: Findings, settings: Settings): Promise<void> {
  const { input, output } = settings.folders;
  if (settings.watch.polling) {
    findings.ok(WATCHING, 'by polling, as watch.polling says');
    return;
  }
  const network = [input, output].map(networkFileSystem).find((name) => name !== undefined);
  if (network) {
    findings.warning({
      subject: WATCHING,
      message: `a folder lies on ${network}, where changes by other machines give no events`,
      remedy: 'Set "watch: { polling: true }" in dropgate.yaml.',
    });
  }
  try {
    await listenOnce(existingPart(input));
    findings.ok(WATCHING, `events can be listened to${describeInotify()}`);
  } catch (error) {
    const reason = errnoOf(error) ?? messageOf(error);
    findings.warning({
      subject: WATCHING,
      message: `the system gives no events (${reason}${describeInotify()}), so folders are polled`,
      remedy:
        'Raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl, or set "watch: { polling: true }".',
    });
  }
}

const WATCHING = 'watching';

async function listenOnce(folder: string): Promise<void> {
  const source = await listenToFolder({
    folder,
    polling: false,
    pollIntervalMs: 1000,
    onEvent: () => undefined,
    onError: () => undefined,
  });
  await source.close();
}

function networkFileSystem(folder: string): string | undefined {
  return NETWORK_FILE_SYSTEMS.get(fs.statfsSync(existingPart(folder)).type);
}

/** The limits of inotify(7), for the user as a whole; empty where there are none. */
function describeInotify(): string {
  const [watches, instances] = ['max_user_watches', 'max_user_instances'].map(readLimit);
  return watches && instances ? `; inotify allows ${watches} watches, ${instances} instances` : '';
}

function readLimit(name: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/sys/fs/inotify/${name}`, 'latin1').trim();
  } catch {
    return undefined;
  }
}
