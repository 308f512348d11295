import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

const POLICY_FILE = '/usr/sbin/policy-rc.d';

/** Whether packages can be installed: as root on Debian or Ubuntu. */
export function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/**
 * Installs the first of some sets of packages that can be installed. No service is started.
 * @throws Error with the end of apt-get's output when none can
 */
export async function installFirst(sets: string[][]): Promise<void> {
  const removePolicy = forbidServiceStarts();
  try {
    // Without a network the packages may still be in the cache, so a failed update is not the end.
    await aptGet(['update']);
    const outputs: string[] = [];
    for (const packages of sets) {
      const { code, output } = await aptGet(['install', '-y', '--no-install-recommends', ...packages]);
      if (code === 0) return;
      outputs.push(output);
    }
    throw new Error(`apt-get could not install ${sets[0].join(' ')}:\n${outputs[0]}`);
  } finally {
    removePolicy();
  }
}

/** Debian's switch that keeps packages from starting their services while they are installed; returns its undoing. */
function forbidServiceStarts(): () => void {
  if (existsSync(POLICY_FILE)) return () => {};
  writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(POLICY_FILE, { force: true });
}

function aptGet(args: string[]): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const child = spawn('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env });
  let output = '';
  const collect = (chunk: Buffer) => {
    output = (output + chunk).slice(-4_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
