import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './helpers/real-data.js';

interface LockedPackage {
  version: string;
  integrity?: string;
  link?: boolean;
  dev?: boolean;
  hasInstallScript?: boolean;
  deprecated?: string;
}

function json<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(repositoryRoot, name), 'utf8'));
}

const manifest = json<Record<'dependencies' | 'devDependencies', Record<string, string>>>('package.json');
const { packages } = json<{ packages: Record<string, LockedPackage> }>('package-lock.json');
const declared = { ...manifest.dependencies, ...manifest.devDependencies };
const locked = Object.entries(packages).filter(([name]) => name !== '');

describe('packages', () => {
  it('have exact versions, the same in the lock file', () => {
    for (const [name, version] of Object.entries(declared)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });

  it('are pinned with their hashes', () => {
    const loose = locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
    expect(loose.map(([name]) => name)).toEqual([]);
  });

  it('of the program run nothing when they are installed', () => {
    const doubtful = locked.filter(([, { dev, hasInstallScript }]) => !dev && hasInstallScript);
    expect(doubtful.map(([name]) => name)).toEqual([]);
  });

  it('are not given up, those for development neither', () => {
    const doubtful = locked.filter(([, { deprecated }]) => deprecated !== undefined);
    expect(doubtful.map(([name]) => name)).toEqual([]);
  });
});
