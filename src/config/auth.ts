import fs from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import type { SchemaObject } from 'ajv';
import { errnoOf } from '../base/errors.js';
import { isLoopback } from '../base/loopback.js';
import { isTokenHash, parsePasswordHash } from '../base/secret-hash.js';
import type { ConfigFile } from './config-file.js';
import { type AuthSettings, ROLES, type Role } from './settings.js';
import { show } from './wording.js';
import type { KeyPath } from './yaml-tree.js';

const AT: KeyPath = ['server', 'auth'];
const HOUR_MS = 3_600_000;

const text = (description: string): SchemaObject => ({ type: 'string', minLength: 1, description });
const hours = (fallback: number): SchemaObject => ({
  ...{ type: 'integer', minimum: 1000, maximum: 2_147_483_647, default: fallback * HOUR_MS },
  description: 'a number of milliseconds from 1000 to 2147483647',
});
const role: SchemaObject = { type: 'string', enum: [...ROLES] };
const entry = (secret: string): SchemaObject => ({
  type: 'object',
  description: `a mapping with name, ${secret} and role`,
  required: ['name', 'role'],
  additionalProperties: false,
  properties: {
    name: text('a name'),
    [secret]: text('a hash'),
    [`${secret}_file`]: text('the path of a file'),
    role,
  },
});
const listOf = (items: SchemaObject, description: string): SchemaObject => ({
  ...{ type: 'array', items, default: [], description },
});

/** `server.auth` of `dropgate.yaml`. The forms of secrets are checked here, where no message shows them. */
export const authSchema: SchemaObject = {
  type: 'object',
  description: 'a mapping',
  additionalProperties: false,
  properties: {
    users: listOf(entry('password_hash'), 'a list of users'),
    tokens: listOf(entry('token_hash'), 'a list of tokens'),
    proxy_header: {
      type: 'object',
      description: 'a mapping with "name"',
      required: ['name'],
      additionalProperties: false,
      properties: {
        name: text('the name of a header'),
        role: { ...role, default: ROLES[0] },
        role_header: text('the name of a header'),
      },
    },
    trusted_proxies: listOf(text('an address or network'), 'a list of addresses or networks'),
    session_ms: hours(12),
    session_idle_ms: hours(2),
  },
};

interface RawEntry {
  name: string;
  role: Role;
  [secret: string]: string | undefined;
}

/** `server.auth` as it stands in the file. */
export interface RawAuth {
  users: RawEntry[];
  tokens: RawEntry[];
  proxy_header?: { name: string; role: Role; role_header?: string };
  trusted_proxies: string[];
  session_ms: number;
  session_idle_ms: number;
}

/** What {@link readAuth} judges by. */
export interface AuthOptions {
  raw: RawAuth | undefined;
  configDir: string;
  /** What the server listens on; absent when it does not. */
  host: string | undefined;
}

/** Reads `server.auth`; without it the server may listen to this machine only. */
export function readAuth(file: ConfigFile, { raw, configDir, host }: AuthOptions): AuthSettings | undefined {
  if (!raw) {
    if (host !== undefined && !isLoopback(host))
      file.complain(
        ['server', 'host'],
        `found ${show(host)}, where others can reach the pages, but there is no server.auth; say there who may come in, or listen on 127.0.0.1`,
      );
    return undefined;
  }
  const auth: AuthSettings = {
    users: raw.users.map(({ name, role }, index) => ({
      ...{ name, role },
      passwordHash: readSecret(file, { at: [...AT, 'users', index], kind: PASSWORD, configDir }),
    })),
    tokens: raw.tokens.map(({ name, role }, index) => ({
      ...{ name, role },
      tokenHash: readSecret(file, { at: [...AT, 'tokens', index], kind: TOKEN, configDir }),
    })),
    ...(raw.proxy_header && { proxyHeader: readProxyHeader(raw.proxy_header) }),
    trustedProxies: raw.trusted_proxies,
    sessionMs: raw.session_ms,
    sessionIdleMs: raw.session_idle_ms,
  };
  checkAuth(file, auth);
  return auth;
}

interface SecretKind {
  key: string;
  isSound(text: string): boolean;
  expected: string;
}
const PASSWORD: SecretKind = {
  key: 'password_hash',
  isSound: (text) => parsePasswordHash(text) !== undefined,
  expected: 'scrypt$N$r$p$salt$key, as "dropgate hash-password" prints it',
};
const TOKEN: SecretKind = {
  key: 'token_hash',
  isSound: isTokenHash,
  expected: 'sha256$ and 64 hexadecimal digits, as "dropgate hash-password --token" prints it',
};

/** The hash that stands in the file or in one that it names. */
function readSecret(
  file: ConfigFile,
  { at, kind, configDir }: { at: KeyPath; kind: SecretKind; configDir: string },
): string {
  const { key, isSound, expected } = kind;
  const [here, elsewhere] = [key, `${key}_file`].map((name) => textAt(file, [...at, name]));
  if ((here === undefined) === (elsewhere === undefined)) {
    file.complain([...at, key], `either ${key} or ${key}_file is needed`);
    return '';
  }
  const given = here ?? readSecretFile(file, { at: [...at, `${key}_file`], configDir, name: elsewhere! });
  const secret = given?.trim() ?? '';
  if (given !== undefined && !isSound(secret))
    file.complain([...at, key], `found a value that is not shown here, expected ${expected}`);
  return secret;
}

function textAt(file: ConfigFile, at: KeyPath): string | undefined {
  const node = file.nodeAt(at);
  return node?.kind === 'scalar' && node.value !== null ? node.text : undefined;
}

function readSecretFile(
  file: ConfigFile,
  { at, configDir, name }: { at: KeyPath; configDir: string; name: string },
): string | undefined {
  try {
    return fs.readFileSync(path.resolve(configDir, name), 'utf8');
  } catch (error) {
    file.complain(at, `the file ${show(name)} cannot be read: ${errnoOf(error) ?? 'unknown reason'}`);
    return undefined;
  }
}

function readProxyHeader(raw: NonNullable<RawAuth['proxy_header']>): AuthSettings['proxyHeader'] {
  return {
    name: raw.name.toLowerCase(),
    role: raw.role,
    ...(raw.role_header !== undefined && { roleHeader: raw.role_header.toLowerCase() }),
  };
}

function checkAuth(file: ConfigFile, auth: AuthSettings): void {
  const { users, tokens, proxyHeader, trustedProxies } = auth;
  if (users.length + tokens.length === 0 && !proxyHeader)
    file.complain(AT, 'nobody could come in: give users, tokens or proxy_header');
  for (const [key, entries] of Object.entries({ users, tokens })) {
    entries.forEach(({ name }, index) => {
      const isTaken = entries.slice(0, index).some((other) => other.name === name);
      if (isTaken) file.complain([...AT, key, index, 'name'], `${show(name)} stands twice`);
    });
  }
  trustedProxies.forEach((address, index) => {
    if (!isNetwork(address))
      file.complain(
        [...AT, 'trusted_proxies', index],
        `found ${show(address)}, expected an IP address, or a network such as 10.0.0.0/8`,
      );
  });
  if (proxyHeader && trustedProxies.length === 0)
    file.complain(
      [...AT, 'proxy_header'],
      'anybody could send this header: name the addresses of the proxy in trusted_proxies',
    );
}

function isNetwork(text: string): boolean {
  const [address, bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
