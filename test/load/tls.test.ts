import { execFile } from 'node:child_process';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../../src/load/open-engine.js';
import { canStart } from '../helpers/databases.js';
import { startMysql } from '../helpers/mysql-server.js';
import { startPostgres } from '../helpers/postgres-server.js';
import type { PrivateServer } from '../helpers/private-server.js';
import { unprivilegedUser } from '../helpers/server-programs.js';
import { tempDir } from '../helpers/temp-dir.js';

const run = promisify(execFile);
const hasOpenssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
);
if (!hasOpenssl) console.warn('Tests of TLS are skipped: openssl is not installed');

describe.each(['postgres', 'mysql'] as const)('TLS: %s', async (kind) => {
  const possible = hasOpenssl && (await canStart(kind));
  let server: PrivateServer;
  let files: Certificate;
  let ca: string;
  beforeAll(async () => {
    if (!possible) return;
    files = certificateFiles(kind);
    ca = await certify(files, 'localhost');
    const { cert, key } = files;
    server =
      kind === 'postgres'
        ? await startPostgres({
            args: ['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`].flatMap((arg) => ['-c', arg]),
          })
        : await startMysql({ args: [`--ssl-cert=${cert}`, `--ssl-key=${key}`] });
  });
  afterAll(() => server?.dispose());

  const isEncrypted = async (host: string, ssl: { ca?: string; rejectUnauthorized: boolean }) => {
    const engine = openEngine({ engine: kind, ...server, host, ssl });
    try {
      const [row] = await engine.query(QUERIES[kind]);
      return Boolean(row.encrypted ?? row.Value);
    } finally {
      await engine.close();
    }
  };
  const unreachable = expect.objectContaining({ code: 'database_unreachable' });

  test.skipIf(!possible)('is used with the authority that is named', async () => {
    expect(await isEncrypted('localhost', { ca, rejectUnauthorized: true })).toBe(true);
  });

  test.skipIf(!possible)('refuses a server whose authority is not known', async () => {
    await expect(isEncrypted('localhost', { rejectUnauthorized: true })).rejects.toEqual(unreachable);
  });

  test.skipIf(!possible)('can be had without looking at the certificate', async () => {
    expect(await isEncrypted('127.0.0.1', { rejectUnauthorized: false })).toBe(true);
  });

  test.skipIf(!possible)('refuses a certificate for another name', async () => {
    await server.stop();
    ca = await certify(files, 'database.example');
    await server.start();
    await expect(isEncrypted('localhost', { ca, rejectUnauthorized: true })).rejects.toEqual(unreachable);
  });
});

const QUERIES = {
  postgres: 'SELECT ssl AS encrypted FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  mysql: `SHOW SESSION STATUS LIKE 'Ssl_cipher'`,
};

interface Certificate {
  cert: string;
  key: string;
  /** Whom the server runs as. */
  owner: { uid: number; gid: number } | undefined;
}

function certificateFiles(kind: 'postgres' | 'mysql'): Certificate {
  const folder = tempDir();
  chmodSync(folder, 0o711);
  return {
    cert: path.join(folder, 'cert.pem'),
    key: path.join(folder, 'key.pem'),
    owner: unprivilegedUser(kind),
  };
}

/** Makes a certificate for `name` that vouches for itself. Returns it. */
async function certify({ cert, key, owner }: Certificate, name: string): Promise<string> {
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
  await run('openssl', [...request, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', cert]);
  chmodSync(key, 0o600);
  if (owner) for (const file of [cert, key]) chownSync(file, owner.uid, owner.gid);
  return readFileSync(cert, 'utf8');
}
