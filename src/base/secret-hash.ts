import { createHash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** About 32 MB and a quarter of a second for each guess. Source: OWASP Password Storage Cheat Sheet. */
const COST = { N: 32_768, r: 8, p: 3 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const TOKEN_BYTES = 32;
/** Of one password that is checked; a configuration that asks for more is refused. */
const MAX_MEMORY_BYTES = 268_435_456;

/** A password as it is stored: what scrypt made of it, and how. */
export interface PasswordHash {
  cost: { N: number; r: number; p: number };
  salt: Buffer;
  key: Buffer;
}

/** Makes `scrypt$N$r$p$salt$key` of a password; salt and key are base64url. */
export async function hashPassword(password: string, cost: PasswordHash['cost'] = COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, { cost, salt, keyBytes: KEY_BYTES });
  const { N, r, p } = cost;
  return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Reads `scrypt$N$r$p$salt$key`; undefined when the text is no such thing, or weak, or would cost too much. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const found = /^scrypt\$(\d{1,8})\$(\d{1,2})\$(\d{1,2})\$([\w-]+)\$([\w-]+)$/.exec(text);
  if (!found) return undefined;
  const [N, r, p] = found.slice(1, 4).map(Number);
  const [salt, key] = found.slice(4).map((part) => Buffer.from(part, 'base64url'));
  const isPowerOfTwo = N > 0 && (N & (N - 1)) === 0;
  const isSound = isPowerOfTwo && N >= 16_384 && r >= 8 && p >= 1 && p <= 16;
  const isLong = salt.length >= SALT_BYTES && key.length >= KEY_BYTES && key.length <= 128;
  if (!isSound || !isLong || 128 * N * r > MAX_MEMORY_BYTES) return undefined;
  return { cost: { N, r, p }, salt, key };
}

/** Whether a password is the one that was hashed. Takes the same time for each answer, off the main thread. */
export async function isPassword(password: string, { cost, salt, key }: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, { cost, salt, keyBytes: key.length }), key);
}

/** A new token and how it is stored. Nobody guesses 256 random bits, so one SHA-256 protects it. */
export function makeToken(): { token: string; hash: string } {
  const token = `dg_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
  return { token, hash: hashToken(token) };
}

/** `sha256$` and the SHA-256 of a token in hexadecimal. */
export function hashToken(token: string): string {
  return `sha256$${createHash('sha256').update(token).digest('hex')}`;
}

/** Whether a text has the form of {@link hashToken}. */
export function isTokenHash(text: string): boolean {
  return /^sha256\$[0-9a-f]{64}$/.test(text);
}

function derive(
  password: string,
  { cost, salt, keyBytes }: { cost: PasswordHash['cost']; salt: Buffer; keyBytes: number },
): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: 2 * MAX_MEMORY_BYTES };
  return new Promise((resolve, reject) => {
    // The same letters typed on different keyboards may be composed differently.
    scrypt(password.normalize('NFKC'), salt, keyBytes, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
