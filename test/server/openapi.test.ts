import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, hasBrowser, openPage } from '../helpers/browser.js';
import { type LocalServer, openLocalServer } from './auth/local-server.js';

interface Operation {
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; schema?: object }[];
  requestBody?: { content: Content };
  responses: Record<string, { description?: string; content?: Content }>;
}
type Content = Record<string, { schema?: object }>;

let server: LocalServer;
let description: {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
};
let operations: { name: string; path: string; operation: Operation }[];

beforeAll(async () => {
  server = await openLocalServer();
  description = (await server.app.inject('/api/openapi.json')).json();
  operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );
});
afterAll(() => server.close());

/** Of the page, not of the API. */
const NO_API = /^\/(?:assets\/.*|[^/]*\.[a-z]+|\*|api)?$/;

describe('the description of the API', () => {
  it('has every route', () => {
    const routes = server.routes
      .filter(({ method, url }) => method !== 'HEAD' && !NO_API.test(url))
      .map(({ method, url }) => `${method} ${url.replace(/\*$/, ':name').replace(/:(\w+)/g, '{$1}')}`);
    expect(operations.map(({ name }) => name).sort()).toEqual(routes.sort());
    expect(routes).toContain('PUT /input/{name}');
  });

  // Source: https://spec.openapis.org/oas/v3.1.1.html
  it('is a valid OpenAPI 3.1 document', () => {
    expect(description.openapi).toMatch(/^3\.1\.\d+$/);
    expect(description.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    const tags = description.tags.map(({ name }) => name);
    for (const { name, path, operation } of operations) {
      const { summary, parameters = [], responses } = operation;
      expect(summary, name).toMatch(/^[A-Z]/);
      expect(tags, name).toEqual(expect.arrayContaining(operation.tags ?? ['missing']));
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      expect(
        parameters.filter((one) => one.in === 'path').map((one) => one.name),
        name,
      ).toEqual(inPath);
      for (const one of parameters) {
        expect(['path', 'query', 'header', 'cookie'], name).toContain(one.in);
        expect(one.schema, name).toBeTypeOf('object');
        if (one.in === 'path') expect(one.required, name).toBe(true);
      }
      expect(
        Object.keys(responses).some((status) => /^2\d\d$/.test(status)),
        name,
      ).toBe(true);
      for (const [status, { description: text }] of Object.entries(responses)) {
        expect(status, name).toMatch(/^(?:[1-5]\d\d|default)$/);
        expect(text, `${name} ${status}`).toMatch(/^[A-Z]/);
      }
    }
  });

  it('has schemas that are JSON Schema 2020-12', () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    addFormats.default(ajv);
    for (const { name, operation } of operations) {
      for (const schema of schemasOf(operation)) expect(() => ajv.compile(schema), name).not.toThrow();
    }
  });

  it('can be read as a page, in which nothing is script', async () => {
    const page = await server.app.inject('/api');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).toContain('<b>PUT</b> /input/{name}');
    expect(page.body).not.toMatch(/<script|<style|style=|onclick/);
  });
});

describe.skipIf(!hasBrowser)('the page of the API', () => {
  it('is readable for everybody', async () => {
    const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
    const page = await openPage(`${url}/api`, { width: 390 });
    await page.getByRole('heading', { name: 'Dropgate' }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await expectAccessible(page);
    await page.close();
  });
});

function schemasOf({ parameters = [], requestBody, responses }: Operation): object[] {
  const contents = [requestBody?.content, ...Object.values(responses).map(({ content }) => content)];
  const ofContents = contents.flatMap((content) => Object.values(content ?? {}).map(({ schema }) => schema));
  return [...parameters.map(({ schema }) => schema), ...ofContents].filter((schema) => schema !== undefined);
}
