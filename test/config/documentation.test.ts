import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SchemaObject } from 'ajv';
import { describe, expect, it } from 'vitest';
import { credentialsSchema, datasetSchema, programSchema, tablesSchema } from '../../src/config/schemas.js';
import { repositoryRoot } from '../helpers/real-data.js';

const page = readFileSync(join(repositoryRoot, 'docs/configuration.md'), 'utf8');

/** The table under a heading, as key → default in the notation of the page. */
function documentedKeys(heading: string): Map<string, string> {
  const section = page.split(/^#{2,3} /m).find((part) => part.startsWith(`${heading}\n`));
  const rows = [...(section ?? '').matchAll(/^\| `([^`]+)` \| (.+?) \| .+ \|$/gm)];
  return new Map(rows.map(([, key, fallback]) => [key, fallback]));
}

/** The keys that a schema allows, dotted; mappings with a default of their own are only their keys. */
function allowedKeys(schema: SchemaObject, prefix = ''): [string, SchemaObject][] {
  return Object.entries<SchemaObject>(schema.properties).flatMap(
    ([name, child]): [string, SchemaObject][] => {
      const key = prefix + name;
      const children = child.properties ? allowedKeys(child, `${key}.`) : [];
      return child.type === 'object' ? children : [[key, child], ...children];
    },
  );
}

function notation(fallback: unknown): string {
  const text = typeof fallback === 'string' ? fallback : JSON.stringify(fallback).replaceAll(',', ', ');
  return `\`${text}\``;
}

const columnSchema = datasetSchema.properties.columns.additionalProperties;
const tableSchema = tablesSchema.additionalProperties;
const sections: [string, SchemaObject][] = [
  ['Keys of dropgate.yaml', programSchema],
  ['Keys of a dataset', datasetSchema],
  ['Keys of a column', columnSchema],
  ['Keys of a table', tableSchema],
  ['Keys of a column of a table', tableSchema.items],
  ['Keys of database', credentialsSchema.properties.database],
];

describe.each(sections)('docs/configuration.md, %s', (heading, schema) => {
  const documented = documentedKeys(heading);
  const allowed = new Map(allowedKeys(schema));

  it('documents exactly the keys that there are', () => {
    expect(allowed.size).toBeGreaterThan(0);
    expect([...documented.keys()].sort()).toEqual([...allowed.keys()].sort());
  });

  it('names the defaults that they have', () => {
    const required: string[] = schema.required ?? [];
    for (const [key, { default: fallback }] of allowed) {
      if (required.includes(key)) expect([key, documented.get(key)]).toEqual([key, 'required']);
      // An empty password is better told in words.
      else if (fallback !== undefined && fallback !== '')
        expect([key, documented.get(key)]).toEqual([key, notation(fallback)]);
      else expect([key, documented.get(key)]).not.toEqual([key, expect.stringMatching(/^`[^`]*`$/)]);
    }
  });
});
