/** Who may use the one session of the embedded database: a load, or a client of its socket. */
export type SessionUser = object;

interface Waiter {
  user: SessionUser;
  enter: () => void;
}

/**
 * Hands the one session to one user at a time, first come first served. A user keeps it over many calls, as long as its
 * transaction or its half-sent statement needs it.
 */
export class SessionGate {
  #holder: SessionUser | undefined;
  readonly #waiting: Waiter[] = [];
  readonly #onContention: () => void;

  /** @param onContention called whenever somebody begins to wait */
  constructor(onContention: () => void = () => {}) {
    this.#onContention = onContention;
  }

  /** True while somebody waits. */
  get contended(): boolean {
    return this.#waiting.length > 0;
  }

  holds(user: SessionUser): boolean {
    return this.#holder === user;
  }

  /** Resolves when `user` has the session; at once when it has it already. */
  acquire(user: SessionUser): Promise<void> {
    if (this.#holder === user) return Promise.resolve();
    if (this.#holder === undefined) {
      this.#holder = user;
      return Promise.resolve();
    }
    const entered = new Promise<void>((enter) => this.#waiting.push({ user, enter }));
    this.#onContention();
    return entered;
  }

  /** Passes the session on. Nothing happens when `user` does not have it. */
  release(user: SessionUser): void {
    if (this.#holder !== user) return;
    const next = this.#waiting.shift();
    this.#holder = next?.user;
    next?.enter();
  }
}
