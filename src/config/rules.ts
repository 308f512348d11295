import { Ajv } from 'ajv';
import addFormatsModule from 'ajv-formats';
import { messageOf } from '../base/errors.js';
import { formatSqlType, type SqlKind, type SqlType } from '../base/sql-type.js';
import { didYouMean } from '../base/suggest.js';
import type { ConfigFile } from './config-file.js';
import type { CaseRule } from './settings.js';
import { show } from './wording.js';
import type { KeyPath } from './yaml-tree.js';

const ajv = new Ajv({ strict: true, strictTypes: false, verbose: true });
addFormatsModule.default(ajv);

const NUMBER_KINDS: SqlKind[] = ['smallint', 'integer', 'bigint', 'decimal', 'real', 'double'];
const NUMBER_KEYWORDS = words('minimum maximum exclusiveMinimum exclusiveMaximum multipleOf');
const TEXT_KEYWORDS = words('minLength maxLength pattern');
const NUMBER_FORMATS = words('int32 int64 float double');
const SUBSCHEMA_KEYWORDS = words('not if then else');
const SUBSCHEMA_LIST_KEYWORDS = words('allOf anyOf oneOf');
const ANNOTATIONS = words('title description $comment examples');
/** They change nothing about which values pass. */
const IDLE_KEYWORDS = words(`
  default deprecated readOnly writeOnly contentEncoding contentMediaType contentSchema`);
/** They speak of objects and lists, so they say nothing about a single number or text. */
const STRUCTURE_KEYWORDS = words(`
  properties patternProperties additionalProperties propertyNames required dependencies
  dependentRequired dependentSchemas minProperties maxProperties unevaluatedProperties
  items prefixItems additionalItems contains minContains maxContains minItems maxItems uniqueItems unevaluatedItems`);
/** A reference could lead out of the rule or round in a circle; an anchor of YAML does the same without. */
const REFERENCE_KEYWORDS = words(`
  $ref $id $schema $anchor $defs definitions $dynamicRef $dynamicAnchor $vocabulary`);
/** What a rule is made of. */
const RULE_KEYWORDS = [
  ...words('enum const format'),
  ...[NUMBER_KEYWORDS, TEXT_KEYWORDS, SUBSCHEMA_KEYWORDS, SUBSCHEMA_LIST_KEYWORDS].flat(),
];
/** What else may stand beside the type of a column; here only to be suggested. */
const COLUMN_KEYS = words('nullable case private');

/** The rules of one column and where they stand. */
export interface RuleSite {
  file: ConfigFile;
  /** Where the column is declared. */
  path: KeyPath;
  /** JSON Schema keywords as they stand in the file. */
  rules: Record<string, unknown>;
  type: SqlType;
  case: CaseRule;
}

/** A part of the rules and where it stands. */
interface Spot {
  value: unknown;
  at: KeyPath;
}

/**
 * Checks the JSON Schema keywords beside a column's type: each is known, can have an effect on a value of that type,
 * and compiles. Returns the rules as they are to be applied to cleaned values (texts in `enum` and `const` folded to
 * the column's case, annotations left out), or undefined when there are none or something is wrong.
 */
export function checkRules(site: RuleSite): Record<string, unknown> | undefined {
  const { file, path } = site;
  // Ordinary objects: ajv trips over those without a prototype.
  const rules = structuredClone(site.rules);
  // The first use of the schema of schemas compiles it, which takes a while.
  if (Object.keys(rules).length === 0) return undefined;
  const folded = readRules(site, { value: rules, at: path });
  if (!ajv.validateSchema(rules)) {
    const { instancePath, data, message } = ajv.errors![0];
    file.complain(file.pathOf(instancePath, path), `found ${show(data)}, but the value ${message}`);
    return undefined;
  }
  if (Object.keys(folded).length === 0) return undefined;
  try {
    ajv.compile(folded);
    ajv.removeSchema(folded);
    return folded;
  } catch (error) {
    file.complain(path, `the rules cannot be applied: ${messageOf(error).replace(/^strict mode: /, '')}`);
    return undefined;
  }
}

function readRules(site: RuleSite, { value: rules, at: path }: Spot): Record<string, unknown> {
  const nested = path.length > site.path.length;
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(rules as Record<string, unknown>)) {
    const at = [...path, keyword];
    const objection =
      nested && keyword === 'type' ? undefined : objectionTo({ keyword, value, type: site.type });
    if (objection) site.file.complain(at, objection);
    else if (!ANNOTATIONS.includes(keyword)) result[keyword] = readRule(site, { keyword, value, at });
  }
  return result;
}

/** Why a keyword cannot stand beside a type, or undefined. */
function objectionTo({
  keyword,
  value,
  type,
}: {
  keyword: string;
  value: unknown;
  type: SqlType;
}): string | undefined {
  const idle = `has no effect on a value of type ${formatSqlType(type)}`;
  if (REFERENCE_KEYWORDS.includes(keyword))
    return 'not supported; write the rule out, or share it by a YAML anchor';
  if (IDLE_KEYWORDS.includes(keyword)) return idle;
  const known = [...RULE_KEYWORDS, ...STRUCTURE_KEYWORDS, ...ANNOTATIONS];
  if (!known.includes(keyword))
    return `no keyword of JSON Schema${didYouMean(keyword, [...known, ...COLUMN_KEYS])}`;
  // The value of a JSON column may be anything.
  if (type.kind === 'json') return undefined;
  const isNumber = NUMBER_KINDS.includes(type.kind);
  if ([...STRUCTURE_KEYWORDS, ...(isNumber ? TEXT_KEYWORDS : NUMBER_KEYWORDS)].includes(keyword)) return idle;
  return keyword === 'format' ? objectionToFormat(value, { isNumber, idle }) : undefined;
}

function objectionToFormat(
  value: unknown,
  { isNumber, idle }: { isNumber: boolean; idle: string },
): string | undefined {
  const known = Object.keys(ajv.formats);
  if (typeof value !== 'string' || !known.includes(value)) {
    const near = typeof value === 'string' ? didYouMean(value, known) : '';
    return `found ${show(value)}, expected the name of a format${near || `: ${known.join(', ')}`}`;
  }
  return NUMBER_FORMATS.includes(value) === isNumber ? undefined : `${show(value)} ${idle}`;
}

function readRule(site: RuleSite, { keyword, value, at }: Spot & { keyword: string }): unknown {
  if (SUBSCHEMA_KEYWORDS.includes(keyword)) return readSubschema(site, { value, at });
  if (SUBSCHEMA_LIST_KEYWORDS.includes(keyword) && Array.isArray(value)) {
    return value.map((item, index) => readSubschema(site, { value: item, at: [...at, index] }));
  }
  if (keyword === 'const') return readLiteral(site, { value, at });
  if (keyword === 'enum' && Array.isArray(value)) {
    // NULL never reaches the rules: whether it is allowed is said by "nullable".
    const literals = value.flatMap((item, index) =>
      item === null ? [] : [readLiteral(site, { value: item, at: [...at, index] })],
    );
    return [...new Set(literals)];
  }
  return value;
}

function readSubschema(site: RuleSite, { value, at }: Spot): unknown {
  const isSchema = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isSchema ? readRules(site, { value, at }) : value;
}

/** A value to compare with: a number for a number column, for any other the text as written, in the column's case. */
function readLiteral(site: RuleSite, { value, at }: Spot): unknown {
  const { file, type } = site;
  if (type.kind === 'json') return typeof value === 'string' ? foldCase(value, site.case) : value;
  const node = file.nodeAt(at);
  const isNumber = NUMBER_KINDS.includes(type.kind);
  if (isNumber && typeof value === 'number') return value;
  if (!isNumber && node?.kind === 'scalar' && node.value !== null) return foldCase(node.text, site.case);
  file.complain(
    at,
    `found ${show(value)}, expected ${isNumber ? 'a number' : 'a text'}, as the type is ${formatSqlType(type)}`,
  );
  return value;
}

function foldCase(text: string, rule: CaseRule): string {
  if (rule === 'keep') return text;
  return rule === 'lower' ? text.toLowerCase() : text.toUpperCase();
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
