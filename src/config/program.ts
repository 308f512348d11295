import os from 'node:os';
import path from 'node:path';
import { type RawAlerts, readAlerts } from './alerts.js';
import { type RawAuth, readAuth } from './auth.js';
import type { ConfigFile } from './config-file.js';
import { programSchema } from './schemas.js';
import type { Folders, IntakeSettings, Settings, WatchSettings } from './settings.js';
import { checkShape } from './shape.js';

interface RawProgram {
  folders: {
    input: string;
    archive?: string;
    failed?: string;
    output: string;
    output_failed?: string;
    sql: string;
    state: string;
    log_file: string;
  };
  settle_ms: number;
  ready: WatchSettings['ready'];
  watch: { polling: boolean; rescan_ms: number };
  originals: IntakeSettings['originals'];
  archive_days: number;
  identity: IntakeSettings['identity'];
  overlapping_datasets: IntakeSettings['overlappingDatasets'];
  workers?: number;
  shutdown_ms: number;
  parquet: { codec: Settings['parquet']['codec']; row_group_rows: number };
  limits: { max_row_bytes: number; max_columns: number; max_decompressed_ratio: number };
  log: Settings['log'];
  server: {
    enabled: boolean;
    host: string;
    port: number;
    max_upload_bytes: number;
    auth?: RawAuth;
    sql: { timeout_ms: number; max_rows: number; max_bytes: number; max_statements: number };
  };
  alerts: RawAlerts;
}

/** What `dropgate.yaml` settles. */
export type ProgramSettings = Pick<
  Settings,
  'folders' | 'watch' | 'intake' | 'parquet' | 'limits' | 'log' | 'server' | 'alerts'
>;

/** Reads `dropgate.yaml`, in which every key has a default. Undefined when something is wrong. */
export function readProgram(
  file: ConfigFile,
  { root, configDir }: { root: string; configDir: string },
): ProgramSettings | undefined {
  const raw = checkShape(file, programSchema, { emptyIsAbsent: true }) as RawProgram;
  if (file.isFaulty()) return undefined;
  const folders = readFolders(raw.folders, root);
  checkFolders(file, folders);
  const { enabled, host, auth: rawAuth } = raw.server;
  const alerts = readAlerts(raw.alerts, file);
  const auth = readAuth(file, { raw: rawAuth, configDir, host: enabled ? host : undefined });
  return {
    folders,
    watch: {
      settleMs: raw.settle_ms,
      ready: raw.ready,
      polling: raw.watch.polling,
      rescanMs: raw.watch.rescan_ms,
    },
    intake: {
      originals: raw.originals,
      archiveDays: raw.archive_days,
      identity: raw.identity,
      overlappingDatasets: raw.overlapping_datasets,
      workers: raw.workers ?? Math.max(1, os.availableParallelism()),
      shutdownMs: raw.shutdown_ms,
    },
    parquet: { codec: raw.parquet.codec, rowGroupRows: raw.parquet.row_group_rows },
    limits: {
      maxRowBytes: raw.limits.max_row_bytes,
      maxColumns: raw.limits.max_columns,
      maxDecompressedRatio: raw.limits.max_decompressed_ratio,
    },
    log: raw.log,
    server: {
      ...{ enabled, host },
      port: raw.server.port,
      maxUploadBytes: raw.server.max_upload_bytes,
      ...(auth && { auth }),
      sql: {
        timeoutMs: raw.server.sql.timeout_ms,
        maxRows: raw.server.sql.max_rows,
        maxBytes: raw.server.sql.max_bytes,
        maxStatements: raw.server.sql.max_statements,
      },
    },
    alerts,
  };
}

function readFolders(raw: RawProgram['folders'], root: string): Folders {
  const input = path.resolve(root, raw.input);
  const output = path.resolve(root, raw.output);
  const given = (folder: string | undefined, fallback: string) =>
    folder === undefined ? fallback : path.resolve(root, folder);
  return {
    input,
    archive: given(raw.archive, path.join(input, 'archived')),
    failed: given(raw.failed, path.join(input, 'output_failed')),
    output,
    outputFailed: given(raw.output_failed, path.join(output, 'output_failed')),
    sql: path.resolve(root, raw.sql),
    state: path.resolve(root, raw.state),
    logFile: path.resolve(root, raw.log_file),
  };
}

/** The keys of the folders in `dropgate.yaml`. */
const FOLDER_KEYS = {
  input: 'input',
  archive: 'archive',
  failed: 'failed',
  output: 'output',
  outputFailed: 'output_failed',
  sql: 'sql',
  state: 'state',
  logFile: 'log_file',
} as const satisfies Record<keyof Folders, string>;

type FolderName = keyof Folders;

/** What becomes of the content of some folders, so that no other folder may lie in them. */
const FATES: [FolderName, string][] = [
  ['archive', 'is deleted in time'],
  ['state', 'may be deleted'],
];
/** Folders whose files are taken or moved. */
const DATA_FOLDERS: FolderName[] = ['input', 'archive', 'failed', 'output', 'outputFailed'];

/** Notes folders that are the same, or nested in a way that would lose data. */
function checkFolders(file: ConfigFile, folders: Folders): void {
  const names = Object.keys(FOLDER_KEYS) as FolderName[];
  const object = (pair: [FolderName, FolderName], text: string) => blame(file, { pair, text });
  names.forEach((name, index) => {
    for (const other of names.slice(0, index)) {
      if (folders[name] === folders[other])
        object([name, other], `${keyOf(name)} and ${keyOf(other)} are the same: ${folders[name]}`);
    }
  });
  for (const [outer, fate] of FATES) {
    for (const name of names) {
      const endangered = name !== 'logFile' && isInside(folders[name], folders[outer]);
      if (endangered) object([name, outer], `${keyOf(name)} lies in ${keyOf(outer)}, whose content ${fate}`);
    }
  }
  for (const name of DATA_FOLDERS) {
    const misplaced = path.dirname(folders.logFile) === folders[name];
    if (misplaced)
      object(['logFile', name], `folders.log_file lies in ${keyOf(name)}, where it would be taken for data`);
  }
}

/**
 * Complains about the first of two folders that the user wrote. Two that both follow from others come into conflict
 * only when those do.
 */
function blame(file: ConfigFile, { pair, text }: { pair: [FolderName, FolderName]; text: string }): void {
  const written = pair.map((name) => ['folders', FOLDER_KEYS[name]]).find((path) => file.nodeAt(path));
  if (written) file.complain(written, text);
}

function keyOf(name: FolderName): string {
  return `folders.${FOLDER_KEYS[name]}`;
}

function isInside(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return (
    relative !== '' &&
    relative !== '..' &&
    !relative.startsWith(`..${path.sep}`) &&
    !path.isAbsolute(relative)
  );
}
