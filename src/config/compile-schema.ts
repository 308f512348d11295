import { _, Ajv, type CodeOptions, type KeywordCxt, type SchemaObject, type ValidateFunction } from 'ajv';
import { parseSqlType } from '../base/sql-type.js';

/**
 * Makes the function that checks a value against one of `SCHEMAS` and fills in its defaults. In the built program a module takes
 * the place of this one in which the functions are there already (vite.compiled-schemas.ts): to make them is a sixth of a start.
 */
export function compileSchema(schema: SchemaObject): ValidateFunction {
  return newAjv().compile(schema);
}

/** Ajv with the options and the keyword (`sqlType`: a text that is a SQL type) of our schemas. */
export function newAjv(code: CodeOptions = {}): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    useDefaults: true,
    // The schemas are ours, and held by tests.
    validateSchema: false,
    meta: false,
    code,
  });
  ajv.addKeyword({ keyword: 'sqlType', type: 'string', schemaType: 'boolean', code: failUnlessSqlType });
  return ajv;
}

function failUnlessSqlType(context: KeywordCxt): void {
  const parse = context.gen.scopeValue('keyword', {
    key: parseSqlType,
    ref: parseSqlType,
    code: _`parseSqlType`,
  });
  context.fail(_`${parse}(${context.data}) === undefined`);
}
