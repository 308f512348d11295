import { DropgateError } from '../base/errors.js';
import { VERSION } from '../base/version.js';
import type { Settings } from '../config/settings.js';
import { examineDatabase } from './doctor-database.js';
import { examineFolders } from './doctor-folders.js';
import { examineSystem } from './doctor-system.js';
import { type Finding, Findings } from './finding.js';
import { runningProcess } from './status.js';

/** Everything that was looked at; `dropgate doctor --json` prints it as it is. */
export interface Diagnosis {
  /** Of the program. */
  version: string;
  /** Absolute path of the root folder. */
  root: string;
  /** ISO 8601 in UTC. */
  checked_at: string;
  /** The worst status of all findings. */
  verdict: Finding['status'];
  findings: Finding[];
}

export interface DiagnosisRequest {
  /** Absolute path of the root folder. */
  root: string;
  /** Reads the configuration. Errors: those of `loadSettings`. */
  settings(): Settings;
}

/**
 * Looks at whatever the program depends on, beside a running daemon or without one. Leaves nothing behind: folders are
 * tried with temporary files, the database is only read. Without a readable configuration only the system is looked at.
 */
export async function diagnose({ root, settings: load }: DiagnosisRequest): Promise<Diagnosis> {
  const { settings, findings } = examineConfiguration(load);
  findings.push(...examineSystem());
  if (settings) findings.push(...(await examineFolders(settings)), ...(await examineDatabase(settings)));
  return {
    version: VERSION,
    root,
    checked_at: new Date().toISOString(),
    verdict: worst(findings),
    findings,
  };
}

function examineConfiguration(load: () => Settings): { settings?: Settings; findings: Finding[] } {
  const findings = new Findings('configuration');
  try {
    const settings = load();
    const datasets = settings.datasets.map(({ name }) => name).join(', ');
    findings.ok('files', `${settings.configDir}: datasets ${datasets}`);
    for (const message of settings.warnings) {
      findings.warning({ subject: 'files', message, remedy: 'See docs/configuration.md.' });
    }
    const { running, pid } = runningProcess(settings);
    findings.ok('daemon', running ? `runs, pid ${pid ?? 'unknown'}` : 'does not run');
    return { settings, findings: findings.list };
  } catch (error) {
    if (!(error instanceof DropgateError)) throw error;
    findings.error({ subject: 'files', message: error.message, remedy: error.hint, code: error.code });
    return { findings: findings.list };
  }
}

function worst(findings: readonly Finding[]): Finding['status'] {
  const statuses = new Set(findings.map(({ status }) => status));
  return statuses.has('error') ? 'error' : statuses.has('warning') ? 'warning' : 'ok';
}
