import { hashPassword, makeToken } from '../../../src/base/secret-hash.js';
import type { Role } from '../../../src/config/settings.js';

/** What everybody of {@link makeAccounts} types. */
export const PASSWORD = 'correct horse battery';

/** `server.auth` with a user and a token for each role. */
export interface Accounts {
  /** For `dropgate.yaml`, below `server:`. */
  yaml: string;
  tokens: Record<Role, string>;
}

const ROLES: Role[] = ['viewer', 'analyst', 'admin'];

/** Makes users `viewer`, `analyst` and `admin` with {@link PASSWORD}, and a token for each; `more` are further keys. */
export async function makeAccounts(more = ''): Promise<Accounts> {
  // As cheap as the configuration takes.
  const hash = await hashPassword(PASSWORD, { N: 16_384, r: 8, p: 1 });
  const made = ROLES.map((role) => ({ role, ...makeToken() }));
  const users = ROLES.map((role) => `{ name: ${role}, role: ${role}, password_hash: "${hash}" }`);
  const tokens = made.map(
    ({ role, hash }) => `{ name: ${role}-token, role: ${role}, token_hash: "${hash}" }`,
  );
  return {
    yaml: `auth: { users: [${users.join(', ')}], tokens: [${tokens.join(', ')}]${more && `, ${more}`} }`,
    tokens: Object.fromEntries(made.map(({ role, token }) => [role, token])) as Accounts['tokens'],
  };
}

/** A header that signs a request. */
export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}
