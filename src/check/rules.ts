import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';
import type { SqlType } from '../base/sql-type.js';
import { Violation } from './parse-value.js';

/** Returns the first rule that a value breaks, or undefined. Numbers are checked as numbers, all else as its text. */
export type RuleCheck = (text: string) => Violation | undefined;

const NUMERIC = new Set(['smallint', 'integer', 'bigint', 'decimal', 'real', 'double']);

/** Compiles the JSON Schema keywords of one column with ajv. Called once a column. */
export function compileRules(rules: Record<string, unknown>, type: SqlType): RuleCheck {
  const validate = compiler().compile(rules);
  const toValue = NUMERIC.has(type.kind)
    ? Number
    : type.kind === 'json'
      ? JSON.parse
      : (text: string) => text;
  return (text) => {
    if (validate(toValue(text))) return undefined;
    return describe(validate.errors![0]);
  };
}

let ajv: Ajv | undefined;

/** One ajv for all columns: making one costs more than compiling many rules. */
function compiler(): Ajv {
  if (!ajv) {
    ajv = new Ajv({ allErrors: false, strict: false, verbose: true });
    (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  }
  return ajv;
}

function describe(error: ErrorObject): Violation {
  const { keyword, params, schema } = error as ErrorObject & { schema?: unknown };
  const limit = (params as { limit?: number }).limit;
  switch (keyword) {
    case 'enum': {
      const allowed = (params as { allowedValues: unknown[] }).allowedValues.join(', ');
      return new Violation('rule_violation', `enum: [${allowed}]`, `is not one of ${allowed}`);
    }
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return new Violation('rule_violation', `${keyword}: ${limit}`, BOUND_MESSAGES[keyword](limit!));
    case 'pattern': {
      const { pattern } = params as { pattern: string };
      return new Violation('rule_violation', `pattern: ${pattern}`, `does not match the pattern ${pattern}`);
    }
    case 'format': {
      const { format } = params as { format: string };
      return new Violation('rule_violation', `format: ${format}`, `is not in the format ${format}`);
    }
    default:
      return new Violation(
        'rule_violation',
        schema === undefined ? keyword : `${keyword}: ${JSON.stringify(schema)}`,
        error.message ?? `breaks the rule ${keyword}`,
      );
  }
}

const BOUND_MESSAGES = {
  minimum: (limit: number) => `is less than ${limit}`,
  maximum: (limit: number) => `is greater than ${limit}`,
  exclusiveMinimum: (limit: number) => `is not greater than ${limit}`,
  exclusiveMaximum: (limit: number) => `is not less than ${limit}`,
};
