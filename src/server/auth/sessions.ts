import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { User } from '../user.js';

/** 256 bits: nobody guesses one. */
const ID_BYTES = 32;
/** More sessions than people: the oldest go. */
const MAX_SESSIONS = 10_000;
const SWEEP_MS = 30_000;

/** How long sessions live. */
export interface SessionLimits {
  /** Since sign-in. */
  sessionMs: number;
  /** Since the last request. */
  sessionIdleMs: number;
}

interface Session {
  user: User;
  startedAt: number;
  usedAt: number;
  /** Answers under way, which end with the session. */
  answers: Set<ServerResponse>;
}

/**
 * Who is signed in. Kept in memory only: a restart signs everybody out. Ids are stored hashed, so that a picture of the
 * memory is no set of keys.
 */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  /** In the order of sign-in. */
  readonly #sessions = new Map<string, Session>();
  readonly #sweeper: NodeJS.Timeout;

  /** `now`: milliseconds; a clock of the caller's for tests. */
  constructor(limits: SessionLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
    this.#sweeper = setInterval(() => this.sweep(), Math.min(SWEEP_MS, limits.sessionIdleMs));
    this.#sweeper.unref();
  }

  /** Starts a session and answers its id, which only the cookie keeps. */
  start(user: User): string {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const now = this.#now();
    this.#sessions.set(keyOf(id), { user, startedAt: now, usedAt: now, answers: new Set() });
    if (this.#sessions.size > MAX_SESSIONS) this.#end(this.#sessions.keys().next().value!);
    return id;
  }

  /** The user of a session that lives, which this use prolongs. */
  use(id: string): User | undefined {
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (!session) return undefined;
    if (this.#isOver(session)) {
      this.#end(key);
      return undefined;
    }
    session.usedAt = this.#now();
    return session.user;
  }

  /** Ends an answer when its session ends: a stream of events must not outlive it. */
  bind(id: string, answer: ServerResponse): void {
    const answers = this.#sessions.get(keyOf(id))?.answers;
    answers?.add(answer);
    answer.once('close', () => answers?.delete(answer));
  }

  /** Ends a session; `answer` is the one that tells of it. */
  end(id: string, answer?: ServerResponse): void {
    const key = keyOf(id);
    if (answer) this.#sessions.get(key)?.answers.delete(answer);
    this.#end(key);
  }

  /** Ends the sessions whose time is over. */
  sweep(): void {
    for (const [key, session] of this.#sessions) if (this.#isOver(session)) this.#end(key);
  }

  /** Ends all. */
  close(): void {
    clearInterval(this.#sweeper);
    for (const key of this.#sessions.keys()) this.#end(key);
  }

  #isOver({ startedAt, usedAt }: Session): boolean {
    const now = this.#now();
    return now - startedAt >= this.#limits.sessionMs || now - usedAt >= this.#limits.sessionIdleMs;
  }

  #end(key: string): void {
    for (const answer of this.#sessions.get(key)?.answers ?? []) answer.destroy();
    this.#sessions.delete(key);
  }
}

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
