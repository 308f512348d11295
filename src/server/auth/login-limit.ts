import { isIPv6 } from 'node:net';

const WINDOW_MS = 900_000;
/** Wrong passwords for one name from one address, and for all names from one address, in a window. */
const MAX_FOR_NAME = 5;
const MAX_FOR_ADDRESS = 20;
/** Bounds the memory; the oldest are forgotten. */
const MAX_KEYS = 20_000;

interface Count {
  attempts: number;
  endsAt: number;
}

/** Who tries to sign in. */
export interface Attempt {
  address: string;
  name: string;
}

/** Slows down who guesses passwords, without locking out others who have the same name or another address. */
export class LoginLimit {
  readonly #counts = new Map<string, Count>();
  readonly #now: () => number;

  /** `now`: milliseconds; a clock of the caller's for tests. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Counts an attempt before its password is looked at, so that many at once do not slip through. Answers how long to
   * wait instead, or 0.
   */
  begin(attempt: Attempt): number {
    const limits = limitsOf(attempt);
    const waitMs = Math.max(...limits.map(({ key, max }) => this.#waitMs(key, max)));
    if (waitMs === 0) for (const { key } of limits) this.#count(key).attempts++;
    return waitMs;
  }

  /** Takes back what `begin` counted: the password was right. */
  succeed(attempt: Attempt): void {
    const [ofName, ofAddress] = limitsOf(attempt);
    this.#counts.delete(ofName.key);
    const count = this.#counts.get(ofAddress.key);
    if (count) count.attempts--;
  }

  #waitMs(key: string, max: number): number {
    const count = this.#counts.get(key);
    if (!count || count.attempts < max) return 0;
    return Math.max(0, count.endsAt - this.#now());
  }

  #count(key: string): Count {
    const now = this.#now();
    const known = this.#counts.get(key);
    if (known && known.endsAt > now) return known;
    const count = { attempts: 0, endsAt: now + WINDOW_MS };
    this.#counts.delete(key);
    this.#counts.set(key, count);
    if (this.#counts.size > MAX_KEYS) this.#counts.delete(this.#counts.keys().next().value!);
    return count;
  }
}

function limitsOf({ address, name }: Attempt): { key: string; max: number }[] {
  const network = networkOf(address);
  return [
    { key: `${network} ${name}`, max: MAX_FOR_NAME },
    { key: network, max: MAX_FOR_ADDRESS },
  ];
}

/** Who has one IPv6 address has the 2^64 of its network. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head, tail = ''] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const rest = tail.split(':').filter(Boolean);
  const missing = address.includes('::') ? 8 - groups.length - rest.length : 0;
  return [...groups, ...Array<string>(missing).fill('0'), ...rest].slice(0, 4).join(':');
}
