import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  Scalar,
} from 'yaml';
import { type Environment, substituteEnv } from './env.js';

/** Where something stands in a file: keys of mappings and indexes of lists, from the root down. */
export type KeyPath = (string | number)[];

export interface ScalarNode {
  kind: 'scalar';
  line: number;
  /** As YAML reads it, after references to the environment were replaced. */
  value: string | number | boolean | null;
  /** As written (`007` stays `007`), after references to the environment were replaced. */
  text: string;
  /** The part of `text` that stands in the file itself. */
  literal: string;
  substituted: boolean;
  /** What is wrong with a reference to the environment. */
  problem?: string;
}

export interface ListNode {
  kind: 'list';
  line: number;
  items: YamlNode[];
}

export interface MapNode {
  kind: 'map';
  line: number;
  /** `line` is the line of the key. */
  entries: Map<string, { line: number; node: YamlNode }>;
}

/** A YAML document with the line of everything in it. */
export type YamlNode = ScalarNode | ListNode | MapNode;

/** A mistake in the YAML itself. */
export interface YamlFault {
  line: number;
  text: string;
  /** The same without any piece of the file, for a file with secrets. */
  discreetText: string;
}

/** Aliases may repeat a part, but not multiply without end. */
const MAX_NODES = 200_000;
const MAX_DEPTH = 100;

/** Where the parser's own words do not help. */
const PLAIN_WORDS: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS: 'the file holds more than one document',
  RESOURCE_EXHAUSTION: 'the document is nested too deeply',
  TAB_AS_INDENT: 'a tab is used for indentation; use spaces',
  MISSING_CHAR: 'a closing quote, a bracket or a colon is missing before here',
};

/**
 * Reads one YAML 1.2 document (so `yes` and `no` are texts) and replaces references to the environment in its
 * values. `node` is absent for an empty document; with `faults`, what could be read is not to be trusted.
 */
export function parseYaml(text: string, env: Environment): { node?: YamlNode; faults: YamlFault[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: false,
  });
  const faults = [...document.errors, ...document.warnings].map((error) => ({
    line: lineCounter.linePos(error.pos[0]).line,
    text: `not valid YAML: ${PLAIN_WORDS[error.code] ?? error.message}`,
    discreetText: `not valid YAML${PLAIN_WORDS[error.code] ? `: ${PLAIN_WORDS[error.code]}` : ''}`,
  }));
  // After the first mistake the parser guesses; what it reports further is rarely of use.
  if (faults.length > 0) return { faults: faults.slice(0, 1) };
  const reader = new TreeReader(document, lineCounter, env);
  const node = document.contents === null ? undefined : reader.read(document.contents, 0);
  return { node, faults: reader.faults };
}

/** Turns the nodes of the parser into ours. */
class TreeReader {
  readonly faults: YamlFault[] = [];
  readonly #document: Document;
  readonly #lineCounter: LineCounter;
  readonly #env: Environment;
  #nodes = 0;

  constructor(document: Document, lineCounter: LineCounter, env: Environment) {
    this.#document = document;
    this.#lineCounter = lineCounter;
    this.#env = env;
  }

  read(node: unknown, depth: number, parentLine = 1): YamlNode {
    const line = this.#lineOf(node, parentLine);
    const tooLarge = ++this.#nodes > MAX_NODES || depth > MAX_DEPTH;
    if (tooLarge)
      return this.#fault(line, 'the document is nested too deeply, or its aliases make it too large');
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (!target) return this.#fault(line, 'the alias has no anchor before it');
      return this.read(target, depth + 1, line);
    }
    if (isMap(node)) return this.#readMap(node.items, { line, depth });
    if (isSeq(node)) {
      return { kind: 'list', line, items: node.items.map((item) => this.read(item, depth + 1, line)) };
    }
    return this.#readScalar(node, line);
  }

  #readMap(pairs: { key: unknown; value: unknown }[], at: { line: number; depth: number }): MapNode {
    const entries: MapNode['entries'] = new Map();
    for (const pair of pairs) {
      const line = this.#lineOf(pair.key, at.line);
      if (!isScalar(pair.key)) {
        this.#fault(line, 'a key must be a plain text');
        continue;
      }
      const key = sourceOf(pair.key);
      const first = entries.get(key);
      if (first) {
        const twice = `stands twice, first on line ${first.line}`;
        this.faults.push({ line, text: `the key "${key}" ${twice}`, discreetText: `a key ${twice}` });
      } else entries.set(key, { line, node: this.read(pair.value, at.depth + 1, line) });
    }
    return { kind: 'map', line: at.line, entries };
  }

  #readScalar(node: unknown, line: number): ScalarNode {
    if (!isScalar(node)) return emptyScalar(line);
    if (!['string', 'number', 'boolean'].includes(typeof node.value) && node.value !== null) {
      return this.#fault(line, 'a value with this tag is not supported');
    }
    const { text, substituted, literal, problem } = substituteEnv(sourceOf(node), this.#env);
    const reread = substituted && node.type === Scalar.PLAIN;
    const value = reread ? plainValue(text) : typeof node.value === 'string' ? text : (node.value as number);
    return { kind: 'scalar', line, value, text, literal, substituted, problem };
  }

  #lineOf(node: unknown, otherwise: number): number {
    const offset = (node as { range?: [number, number, number] | null } | null)?.range?.[0];
    return offset === undefined ? otherwise : this.#lineCounter.linePos(offset).line;
  }

  #fault(line: number, text: string): ScalarNode {
    // One is enough: an alias that multiplies would report thousands.
    if (this.faults.at(-1)?.text !== text) this.faults.push({ line, text, discreetText: text });
    return emptyScalar(line);
  }
}

function emptyScalar(line: number): ScalarNode {
  return { kind: 'scalar', line, value: null, text: '', literal: '', substituted: false };
}

/** The text of a scalar as written, without quotes. */
function sourceOf(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '');
}

/** What YAML would read, had the text of the variable stood in the file without quotes. */
function plainValue(text: string): string | number | boolean | null {
  if (text === '') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
}
