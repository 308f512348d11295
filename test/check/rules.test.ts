import { describe, expect, it } from 'vitest';
import { parseSqlType } from '../../src/base/sql-type.js';
import { compileRules } from '../../src/check/rules.js';

/** `rule: message` of the rule that a clean text breaks, or 'good'. */
function check(type: string, rules: Record<string, unknown>, text: string): string {
  const violation = compileRules(rules, parseSqlType(type)!)(text);
  if (!violation) return 'good';
  expect(violation.code).toBe('rule_violation');
  return `${violation.rule} | ${violation.message}`;
}

describe('rules of a column', () => {
  it.each([
    ['INTEGER', { minimum: 10, maximum: 30 }, '9', 'minimum: 10 | is less than 10'],
    ['INTEGER', { minimum: 10, maximum: 30 }, '31', 'maximum: 30 | is greater than 30'],
    ['INTEGER', { minimum: 10, maximum: 30 }, '+10', 'good'],
    ['DOUBLE', { exclusiveMinimum: 0 }, '0', 'exclusiveMinimum: 0 | is not greater than 0'],
    ['DECIMAL(5,2)', { exclusiveMaximum: 1.5 }, '1.50', 'exclusiveMaximum: 1.5 | is not less than 1.5'],
    ['INTEGER', { multipleOf: 5 }, '12', 'multipleOf: 5 | must be multiple of 5'],
    ['INTEGER', { enum: [1, 2] }, '02', 'good'],
    ['INTEGER', { enum: [1, 2] }, '3', 'enum: [1, 2] | is not one of 1, 2'],
    ['INTEGER', { const: 1 }, '2', 'const: 1 | must be equal to constant'],
    ['VARCHAR(9)', { enum: ['f', 'm'] }, 'x', 'enum: [f, m] | is not one of f, m'],
    ['TEXT', { pattern: '^[a-z]+$' }, 'a1', 'pattern: ^[a-z]+$ | does not match the pattern ^[a-z]+$'],
    ['TEXT', { minLength: 2 }, 'é', 'minLength: 2 | must NOT have fewer than 2 characters'],
    ['TEXT', { maxLength: 1 }, '🎓', 'good'],
    ['TEXT', { format: 'email' }, 'nobody', 'format: email | is not in the format email'],
    ['TEXT', { format: 'email' }, 'a@b.org', 'good'],
    ['DATE', { pattern: '^2026' }, '2025-01-01', 'pattern: ^2026 | does not match the pattern ^2026'],
    ['TEXT', { not: { enum: ['x'] } }, 'x', 'not: {"enum":["x"]} | must NOT be valid'],
    ['JSON', { required: ['a'] }, '{"b":1}', 'required: ["a"] | must have required property \'a\''],
    ['JSON', { properties: { a: { minimum: 2 } } }, '{"a":3}', 'good'],
  ])('%s %j on %s: %s', (type, rules, text, outcome) => {
    expect(check(type, rules, text)).toBe(outcome);
  });

  it('are told one at a time', () => {
    const rules = { minLength: 3, pattern: '^x' };
    expect(check('TEXT', rules, 'ab')).toMatch(/^(minLength|pattern)/);
  });
});
