import { fileURLToPath } from 'node:url';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { type Plugin, runnerImport } from 'vite';
import type * as Compiler from './src/config/compile-schema.js';
import type * as Schemas from './src/config/schemas.js';

const at = (place: string) => fileURLToPath(new URL(place, import.meta.url));

/** Puts functions that ajv makes during the build in the place of `src/config/compile-schema.ts`, which would make them at each start. */
export function compiledSchemas(): Plugin {
  return {
    name: 'compiled-schemas',
    load: {
      filter: { id: /\/src\/config\/compile-schema\.ts$/ },
      handler: moduleOfFunctions,
    },
  };
}

async function moduleOfFunctions(): Promise<string> {
  const [{ newAjv }, { SCHEMAS }] = await Promise.all([
    load<typeof Compiler>('src/config/compile-schema.ts'),
    load<typeof Schemas>('src/config/schemas.ts'),
  ]);
  const ajv = newAjv({ source: true, esm: true });
  const names = Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[];
  for (const name of names) ajv.addSchema(SCHEMAS[name], name);
  // What the functions refer to, and who calls them.
  return `
    import { parseSqlType } from '../base/sql-type.js';
    import { SCHEMAS } from './schemas.js';
    ${standaloneCode.default(ajv, Object.fromEntries(names.map((name) => [functionOf(name), name])))}
    const functions = new Map([${names.map((name) => `[SCHEMAS.${name}, ${functionOf(name)}]`).join(', ')}]);
    export function compileSchema(schema) {
      return functions.get(schema);
    }`;
}

function functionOf(name: string): string {
  return `${name}Function`;
}

async function load<T>(file: string): Promise<T> {
  const { module } = await runnerImport<T>(at(file), { configFile: false, logLevel: 'warn' });
  return module;
}
