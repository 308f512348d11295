import type { ErrorObject, SchemaObject, ValidateFunction } from 'ajv';
import { didYouMean, nearest } from '../base/suggest.js';
import { compileSchema } from './compile-schema.js';
import type { ConfigFile } from './config-file.js';
import { show, typeHelp } from './wording.js';
import type { KeyPath, MapNode, ScalarNode, YamlNode } from './yaml-tree.js';

const compiled = new WeakMap<SchemaObject, ValidateFunction>();

/** How {@link checkShape} reads a file. */
export interface ShapeOptions {
  /** A key without a value counts as absent, so that all entries of a section can be commented out; so does the whole file. */
  emptyIsAbsent?: boolean;
  /** Known keys whose values are not even looked at. */
  ignores?: (path: KeyPath) => boolean;
}

/**
 * Turns a parsed file into plain values under the guidance of its schema, fills in defaults and notes everything
 * that the schema does not allow. The result is only as good as `file.problems` is empty for its parts.
 */
export function checkShape(file: ConfigFile, schema: SchemaObject, options: ShapeOptions = {}): unknown {
  if (!file.node && !options.emptyIsAbsent) return undefined;
  const value = file.node ? plain({ file, ...options }, file.node, { schema, path: [] }) : {};
  const validate = compiledOnce(schema);
  if (!validate(value)) for (const error of validate.errors ?? []) report(file, { root: schema, error });
  return value;
}

/** Fills the defaults of a schema into `value`, in place. */
export function withDefaults<T extends object>(schema: SchemaObject, value: object): T {
  compiledOnce(schema)(value);
  return value as T;
}

function compiledOnce(schema: SchemaObject): ValidateFunction {
  let validate = compiled.get(schema);
  if (!validate) {
    validate = compileSchema(schema);
    compiled.set(schema, validate);
  }
  return validate;
}

interface PlainContext extends ShapeOptions {
  file: ConfigFile;
}

interface Place {
  schema: SchemaObject | undefined;
  path: KeyPath;
}

function plain(context: PlainContext, node: YamlNode, { schema, path }: Place): unknown {
  switch (node.kind) {
    case 'map':
      return plainMap(context, node, { schema, path });
    case 'list':
      return node.items.map((item, index) =>
        plain(context, item, { schema: schema?.items as SchemaObject | undefined, path: [...path, index] }),
      );
    default:
      if (node.problem) context.file.complain(path, node.problem);
      return plainScalar(node, schema);
  }
}

function plainMap(context: PlainContext, node: MapNode, { schema, path }: Place): Record<string, unknown> {
  // No prototype: a column may be called "constructor" or "__proto__".
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, { node: child }] of node.entries) {
    const declared = ownProperty(schema?.properties, key);
    const empty = child.kind === 'scalar' && child.value === null && !child.problem;
    if (declared && ((context.emptyIsAbsent && empty) || context.ignores?.([...path, key]))) continue;
    const others = schema?.additionalProperties;
    const childSchema = declared ?? (typeof others === 'object' ? others : undefined);
    result[key] = plain(context, child, { schema: childSchema, path: [...path, key] });
  }
  return result;
}

function ownProperty(
  properties: Record<string, SchemaObject> | undefined,
  key: string,
): SchemaObject | undefined {
  return properties && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** A password `0123` is a text although YAML reads a number, and a port from the environment a number although it is a text. */
function plainScalar(node: ScalarNode, schema: SchemaObject | undefined): unknown {
  const types: unknown[] = [schema?.type ?? []].flat();
  if (node.value === null) return null;
  if (types.length === 1 && types[0] === 'string') return node.text;
  if (node.substituted && types.includes('integer') && /^[-+]?\d+$/.test(node.text)) return Number(node.text);
  if (node.substituted && types.includes('boolean') && /^(true|false)$/.test(node.text))
    return node.text === 'true';
  return node.value;
}

function report(file: ConfigFile, { root, error }: { root: SchemaObject; error: ErrorObject }): void {
  const path = file.pathOf(error.instancePath);
  const parent = error.parentSchema as SchemaObject;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = error.params.additionalProperty as string;
      complainUnknownKey(file, { path: [...path, key], known: Object.keys(parent.properties), root });
      return;
    }
    case 'required': {
      const key = error.params.missingProperty as string;
      file.complain([...path, key], `missing; expected ${expectation(parent.properties[key])}`);
      return;
    }
    case 'sqlType':
      file.complain(path, `found ${show(error.data)}, ${typeHelp(String(error.data))}`);
      return;
    default:
      file.complain(
        path,
        `${foundAt(file, { path, value: error.data })}, expected ${expectation(parent)}${nearWord(error)}`,
      );
  }
}

function foundAt(file: ConfigFile, { path, value }: { path: KeyPath; value: unknown }): string {
  return file.secret && !isHarmless(path) ? 'found a value that is not shown here' : `found ${show(value)}`;
}

function nearWord({ keyword, data, parentSchema }: ErrorObject): string {
  return keyword === 'enum' && typeof data === 'string'
    ? didYouMean(data, parentSchema!.enum as string[])
    : '';
}

/** Keys of a file with secrets whose values help to find the mistake and give nothing away. */
function isHarmless(path: KeyPath): boolean {
  return ['engine', 'port'].includes(String(path.at(-1)));
}

/** Notes a key that nobody knows; the last step of `path` is the key. */
function complainUnknownKey(
  file: ConfigFile,
  { path, known, root }: { path: KeyPath; known: string[]; root: SchemaObject },
): void {
  const key = String(path.at(-1));
  // "password:secret" without a space is a key to YAML.
  const safeKey = file.secret ? key.replace(/[:=].*$/s, ':…') : key;
  const suggestion = nearest(key, known) ?? pathsEndingIn(key, root)[0];
  const help = suggestion === undefined ? `known here: ${known.join(', ')}` : `did you mean "${suggestion}"?`;
  file.complain([...path.slice(0, -1), safeKey], `unknown key; ${help}`);
}

/** Where else in the schema a key of this name stands, as dotted paths. */
function pathsEndingIn(key: string, schema: SchemaObject): string[] {
  return Object.entries<SchemaObject>(schema.properties ?? {}).flatMap(([name, child]) => [
    ...(name === key ? [name] : []),
    ...pathsEndingIn(key, child).map((path) => `${name}.${path}`),
  ]);
}

/** What stands behind "expected". */
function expectation(schema: SchemaObject): string {
  if (schema.description) return schema.description;
  if (schema.enum) return `one of ${(schema.enum as string[]).join(', ')}`;
  if (schema.sqlType) return 'a SQL type';
  return schema.type === 'boolean' ? 'true or false' : schema.type === 'object' ? 'a mapping' : 'a text';
}
