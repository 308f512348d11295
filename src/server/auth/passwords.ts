import { hashPassword, isPassword, type PasswordHash, parsePasswordHash } from '../../base/secret-hash.js';
import type { AuthSettings } from '../../config/settings.js';
import { RequestProblem } from '../problem.js';
import type { User } from '../user.js';

/** Those who wait for their turn; each takes about a quarter of a second. */
const MAX_WAITING = 16;

/** Checks passwords one after the other: each takes 32 MB and a thread that files are written with as well. */
export class Passwords {
  readonly #users = new Map<string, { user: User; hash: PasswordHash }>();
  /** Compared with for names that nobody has, so that they take as long. */
  readonly #decoy: Promise<PasswordHash>;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(users: AuthSettings['users']) {
    for (const { name, role, passwordHash } of users)
      this.#users.set(name, { user: { name, role }, hash: parsePasswordHash(passwordHash)! });
    const [first] = this.#users.values();
    this.#decoy = first
      ? Promise.resolve({ ...first.hash, key: Buffer.alloc(first.hash.key.length) })
      : hashPassword('').then((text) => parsePasswordHash(text)!);
  }

  /** Whether somebody has this name. */
  has(name: string): boolean {
    return this.#users.has(name);
  }

  /** The user with this name and password. @throws RequestProblem 503 when too many ask at once */
  async check(name: string, password: string): Promise<User | undefined> {
    if (this.#waiting >= MAX_WAITING)
      throw new RequestProblem(503, 'Too many people sign in at the moment', 'Try again in a few seconds.');
    this.#waiting++;
    const turn = this.#last.then(() => this.#compare(name, password));
    this.#last = turn.catch(() => {});
    return turn.finally(() => this.#waiting--);
  }

  async #compare(name: string, password: string): Promise<User | undefined> {
    const known = this.#users.get(name);
    const isRight = await isPassword(password, known?.hash ?? (await this.#decoy));
    return known && isRight ? known.user : undefined;
  }
}
