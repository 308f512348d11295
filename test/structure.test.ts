import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './helpers/real-data.js';

/*
 * The direction of imports (docs/architecture.md): main → cli → server → pipeline → the stages → base. The stages
 * never import each other; `pipeline` joins them.
 */

const STAGES = ['watch', 'read', 'clean', 'check', 'write', 'load', 'ledger', 'config'];

/** Height of each part; imports go strictly downwards, or stay within a part. */
const LEVELS = new Map<string, number>([
  ['main', 5],
  ['cli', 4],
  ['server', 3],
  ['pipeline', 2],
  ...STAGES.map((stage) => [stage, 1] as const),
  ['base', 0],
]);

const sourceFolder = path.join(repositoryRoot, 'src');

/** What one source file imports; files are relative to `src`. */
interface SourceFile {
  file: string;
  imports: string[];
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`, and the files of workers. */
const IMPORT =
  /\b(?:import|export)\b[^;'"()=]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*['"]([^'"]+)['"]|\b(?:import|workerUrl)\(\s*['"]([^'"]+)['"]/g;

/** The modules that a source text names, whether by a static import or export, a dynamic import, or as a worker. */
function modulesNamedIn(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
  return [...code.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3]);
}

function readSources(): SourceFile[] {
  const files = readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.map((file) => {
    const modules = modulesNamedIn(readFileSync(path.join(sourceFolder, file), 'utf8'));
    const own = modules.filter((module) => module.startsWith('.'));
    return { file, imports: own.map((module) => resolved(file, module)) };
  });
}

function resolved(from: string, module: string): string {
  return path.join(path.dirname(from), module).replace(/\.js$/, '.ts');
}

/** `pipeline` for `pipeline/publish.ts`, `main` for `main.ts`. */
function partOf(file: string): string {
  return file.split(path.sep)[0].replace(/\.ts$/, '');
}

/** The first import cycle that a walk over all files meets, as a list of files, or undefined. */
function findCycle(sources: readonly SourceFile[]): string[] | undefined {
  const importsOf = new Map(sources.map(({ file, imports }) => [file, imports]));
  const finished = new Set<string>();
  const walk = (file: string, trail: string[]): string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const next of importsOf.get(file) ?? []) {
      const cycle = walk(next, [...trail, file]);
      if (cycle) return cycle;
    }
    finished.add(file);
    return undefined;
  };
  for (const { file } of sources) {
    const cycle = walk(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function isAllowed(from: string, to: string): boolean {
  return from === to || LEVELS.get(to)! < LEVELS.get(from)!;
}

const sources = readSources();

describe('imports', () => {
  it('are found in the source files', () => {
    const publish = sources.find(({ file }) => file === path.join('pipeline', 'publish.ts'));
    expect(publish?.imports).toContain(path.join('base', 'files.ts'));
    expect(sources.reduce((sum, { imports }) => sum + imports.length, 0)).toBeGreaterThan(sources.length);
  });

  it('name only parts that the architecture knows', () => {
    expect([...new Set(sources.map(({ file }) => partOf(file)))].filter((part) => !LEVELS.has(part))).toEqual(
      [],
    );
  });

  it('lead to files that are there', () => {
    const known = new Set(sources.map(({ file }) => file));
    const lost = sources.flatMap(({ file, imports }) =>
      imports.filter((to) => to.endsWith('.ts') && !known.has(to)).map((to) => `${file} → ${to}`),
    );
    expect(lost).toEqual([]);
  });

  it('go from main over cli, server and pipeline to the stages and base, never back or sideways', () => {
    const wrong = sources.flatMap(({ file, imports }) =>
      imports.filter((to) => !isAllowed(partOf(file), partOf(to))).map((to) => `${file} → ${to}`),
    );
    expect(wrong).toEqual([]);
  });

  it('make no circle', () => {
    expect(findCycle(sources)?.join(' → ')).toBeUndefined();
  });
});

describe('the tools of this test', () => {
  it('find every kind of import and no comment', () => {
    const text = `
import fs from 'node:fs';
import { a, type B } from './one.js';
import type {
  C,
} from "../two/two.js";
import './three.js';
export { d } from './four.js';
export type * from './five.js';
const late = await import('./six.js');
const url = workerUrl('./seven.js', import.meta.url);
// import { x } from './commented.js';
/* export { y } from './commented-too.js'; */
export const name = 'no-import.js';
`;
    expect(modulesNamedIn(text)).toEqual([
      'node:fs',
      './one.js',
      '../two/two.js',
      './three.js',
      './four.js',
      './five.js',
      './six.js',
      './seven.js',
    ]);
  });

  it('find a circle', () => {
    const circle = [
      { file: 'a', imports: ['b', 'c'] },
      { file: 'b', imports: [] },
      { file: 'c', imports: ['d'] },
      { file: 'd', imports: ['c'] },
    ];
    expect(findCycle(circle)).toEqual(['c', 'd', 'c']);
    expect(findCycle(circle.slice(0, 3))).toBeUndefined();
  });
});

describe('the process', () => {
  const endsProcess = (text: string) => /\bprocess\s*\.\s*(?:exit|abort|reallyExit|kill)\s*\(/.test(text);
  const files = sources.filter(({ file }) =>
    endsProcess(readFileSync(path.join(sourceFolder, file), 'utf8')),
  );

  it('is ended in main.ts only, and where a test has named the moment of a crash', () => {
    expect(files.map(({ file }) => file).sort()).toEqual([path.join('base', 'crash-point.ts'), 'main.ts']);
  });
});
