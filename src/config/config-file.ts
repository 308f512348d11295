import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, messageOf } from '../base/errors.js';
import type { Environment } from './env.js';
import type { ConfigCode, Problems } from './problems.js';
import { type KeyPath, parseYaml, type YamlNode } from './yaml-tree.js';

/** Where and how configuration files are read. */
export interface ConfigSite {
  root: string;
  configDir: string;
  env: Environment;
  problems: Problems;
}

/** One file of the configuration, parsed, and the means to complain about any place in it. */
export class ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** For messages: relative to the root folder where the file lies below it. */
  readonly shown: string;
  /** Its values must not be shown. */
  readonly secret: boolean;
  readonly #problems: Problems;
  #node: YamlNode | undefined;
  #exists = false;
  #mode = 0;

  /**
   * Reads and parses `<configDir>/<name>`. Whatever is wrong becomes a problem; that the file is missing is for the
   * caller to judge, see `exists`.
   */
  constructor(site: ConfigSite, name: string, options: { secret?: boolean } = {}) {
    this.path = path.join(site.configDir, name);
    this.shown = shownPath(site.root, this.path);
    this.secret = options.secret ?? false;
    this.#problems = site.problems;
    const bytes = this.#read();
    const text = bytes && this.#decode(bytes);
    if (text !== undefined) this.#parse(text, site.env);
  }

  get exists(): boolean {
    return this.#exists;
  }

  /** Permission bits, as in `stat`. */
  get mode(): number {
    return this.#mode;
  }

  /** Absent when the file is missing, empty or not valid YAML. */
  get node(): YamlNode | undefined {
    return this.#node;
  }

  /** Notes that something is wrong at a place of the file; `[]` is the file as a whole. */
  complain(at: KeyPath, text: string): void {
    this.#problems.add({ file: this.shown, line: this.lineAt(at), key: keyAt(at), text });
  }

  /** Notes that the file as a whole cannot be used. */
  reject(code: ConfigCode, text: string): void {
    this.#problems.add({ file: this.shown, text, code });
  }

  /** Whether a problem was noted at a place of the file or below it. */
  isFaulty(at: KeyPath = []): boolean {
    return this.#problems.has(this.shown, at.length === 0 ? undefined : keyAt(at));
  }

  /** The node at a place, or undefined. */
  nodeAt(at: KeyPath): YamlNode | undefined {
    return at.reduce<YamlNode | undefined>((node, step) => child(node, step)?.node, this.#node);
  }

  /** The place that a JSON pointer names, seen from `base`. */
  pathOf(pointer: string, base: KeyPath = []): KeyPath {
    const path = [...base];
    for (const step of pointer.split('/').slice(1)) {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
      path.push(this.nodeAt(path)?.kind === 'list' ? Number(key) : key);
    }
    return path;
  }

  /** The line of a key or an item, else of the nearest thing around it that exists. */
  lineAt(at: KeyPath): number | undefined {
    let node = this.#node;
    let line = node?.line;
    for (const step of at) {
      const next = child(node, step);
      if (!next) break;
      line = next.line;
      node = next.node;
    }
    return line;
  }

  /** `config/schema.yaml:12`. */
  placeOf(at: KeyPath): string {
    return `${this.shown}:${this.lineAt(at)}`;
  }

  #read(): Buffer | undefined {
    try {
      const bytes = fs.readFileSync(this.path);
      this.#exists = true;
      this.#mode = fs.statSync(this.path).mode;
      return bytes;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      this.#exists = true;
      this.reject('config_missing', `cannot be read: ${messageOf(error)}`);
      return undefined;
    }
  }

  #decode(bytes: Buffer): string | undefined {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      this.reject('config_syntax', 'not UTF-8 text; save it as UTF-8');
      return undefined;
    }
  }

  #parse(text: string, env: Environment): void {
    const { node, faults } = parseYaml(text, env);
    for (const fault of faults) {
      const text = this.secret ? fault.discreetText : fault.text;
      this.#problems.add({ file: this.shown, line: fault.line, text, code: 'config_syntax' });
    }
    const empty = node?.kind === 'scalar' && node.value === null;
    if (faults.length === 0 && !empty) this.#node = node;
  }
}

/** A path for messages: relative to the root folder when it lies below it. */
function shownPath(root: string, fullPath: string): string {
  const relative = path.relative(root, fullPath);
  return relative.startsWith('..') || path.isAbsolute(relative)
    ? fullPath
    : relative.replaceAll(path.sep, '/');
}

function child(
  node: YamlNode | undefined,
  step: string | number,
): { line: number; node: YamlNode } | undefined {
  if (node?.kind === 'map') return node.entries.get(String(step));
  if (node?.kind !== 'list') return undefined;
  const item = node.items[Number(step)];
  return item && { line: item.line, node: item };
}

/** `student_data.null_tokens[2]`. */
function keyAt(at: KeyPath): string {
  const steps = at.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step || '""'}`));
  return steps.join('').replace(/^\./, '');
}
