import { describe, expect, it } from 'vitest';
import {
  hashPassword,
  hashToken,
  isPassword,
  isTokenHash,
  makeToken,
  parsePasswordHash,
} from '../../src/base/secret-hash.js';

const CHEAP = { N: 16_384, r: 8, p: 1 };

describe('a password', () => {
  it('is known again by its hash, and no other is', async () => {
    const [first, second] = await Promise.all([
      hashPassword('påssword', CHEAP),
      hashPassword('påssword', CHEAP),
    ]);
    expect(first).not.toBe(second);
    const hash = parsePasswordHash(first)!;
    // Composed and decomposed letters are the same.
    expect(await isPassword('påssword'.normalize('NFD'), hash)).toBe(true);
    expect(await isPassword('password', hash)).toBe(false);
  });

  it('has a hash of one form, neither weak nor without bounds', async () => {
    const good = await hashPassword('x', CHEAP);
    const [, , , , salt, key] = good.split('$');
    expect(parsePasswordHash(good)).toMatchObject({ cost: CHEAP });
    for (const bad of [
      'secret',
      `scrypt$16383$8$1$${salt}$${key}`,
      `scrypt$1024$8$1$${salt}$${key}`,
      `scrypt$1048576$32$1$${salt}$${key}`,
      `scrypt$16384$8$1$c2FsdA$${key}`,
      `scrypt$16384$8$1$${salt}$a2V5`,
    ])
      expect(parsePasswordHash(bad), bad).toBeUndefined();
  });
});

it('a token is known by its hash', () => {
  const { token, hash } = makeToken();
  expect(token).toMatch(/^dg_[\w-]{43}$/);
  expect(hashToken(token)).toBe(hash);
  expect(isTokenHash(hash)).toBe(true);
  expect(isTokenHash(token)).toBe(false);
});
