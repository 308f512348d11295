/** The environment: `process.env`, or a table in its place. */
export type Environment = Record<string, string | undefined>;

/** A text after its `${NAME}` references were replaced. */
export interface Substitution {
  text: string;
  /** At least one reference was replaced. */
  substituted: boolean;
  /** The part of the result that stands in the file itself: everything but the values of variables. */
  literal: string;
  /** What is wrong with a reference; the text is then not to be used. */
  problem?: string;
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const NAME_AND_DEFAULT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}` and `${NAME:-default}` from the environment; as in a shell, the default also stands in for a
 * variable that is set to nothing. `$${` stands for a literal `${`.
 */
export function substituteEnv(source: string, env: Environment): Substitution {
  if (!source.includes('${')) return { text: source, substituted: false, literal: source };
  const result: Substitution = { text: '', substituted: false, literal: '' };
  let position = 0;
  for (const match of source.matchAll(REFERENCE)) {
    append(result, source.slice(position, match.index));
    position = match.index + match[0].length;
    if (match[0] === '$${') append(result, '${');
    else replaceOne(result, match[1], env);
  }
  append(result, source.slice(position));
  return result;
}

function replaceOne(result: Substitution, inside: string | undefined, env: Environment): void {
  const parts = inside === undefined ? null : NAME_AND_DEFAULT.exec(inside);
  if (!parts) {
    result.problem ??= `a reference to the environment is written \${NAME} or \${NAME:-default}; a literal "\${" is written "$\${"`;
    return;
  }
  const [, name, fallback] = parts;
  result.substituted = true;
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (fallback !== undefined && !value) append(result, fallback);
  else if (value !== undefined) result.text += value;
  else
    result.problem ??= `the environment variable ${name} is not set; set it, or give a default with \${${name}:-default}`;
}

function append(result: Substitution, text: string): void {
  result.text += text;
  result.literal += text;
}
