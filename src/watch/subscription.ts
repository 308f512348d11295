import type { EventRequest, EventSource } from './folder-events.js';

interface SubscriptionOptions {
  /** Absolute. */
  folder: string;
  polling: boolean;
  pollIntervalMs: number;
  listen(request: EventRequest): Promise<EventSource>;
  /** Something happened to the entry `name`, or, without a name, somewhere in the folder. */
  onEvent(name: string | undefined): void;
  /** The source failed while running; `ensure` puts another in its place. */
  onError(error: unknown): void;
}

/**
 * Keeps one source of events alive: renews it when another folder has come to stand at the path, and lets polling
 * stand in when the system refuses to give events.
 */
export class Subscription {
  readonly #options: SubscriptionOptions;
  #source: EventSource | undefined;
  /** The folder that the source listens to. */
  #identity = '';
  #isLost = false;
  #isStandIn = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /**
   * Makes sure that we listen to the folder of this identity (device, inode, birth time), which must exist.
   * @returns the error that keeps the system's events from us, or undefined
   */
  async ensure(identity: string): Promise<unknown> {
    const isCurrent = this.#source !== undefined && !this.#isLost && identity === this.#identity;
    if (isCurrent && !this.#isStandIn) return undefined;
    if (!isCurrent) await this.close();
    try {
      const source = await this.#listen(this.#options.polling);
      await this.close();
      this.#adopt(source, { identity, isStandIn: false });
      return undefined;
    } catch (error) {
      if (!this.#source && !this.#options.polling) await this.#standIn(identity);
      return error;
    }
  }

  async close(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    await source?.close();
  }

  async #standIn(identity: string): Promise<void> {
    const source = await this.#listen(true).catch(() => undefined);
    if (source) this.#adopt(source, { identity, isStandIn: true });
  }

  #adopt(source: EventSource, { identity, isStandIn }: { identity: string; isStandIn: boolean }): void {
    this.#source = source;
    this.#identity = identity;
    this.#isStandIn = isStandIn;
  }

  #listen(polling: boolean): Promise<EventSource> {
    const { folder, pollIntervalMs, listen, onEvent, onError } = this.#options;
    this.#isLost = false;
    return listen({
      folder,
      polling,
      pollIntervalMs,
      onEvent: (name) => {
        // From inotify only the folder itself comes without a name: it may be gone, and the watch with it.
        if (name === undefined && !polling) this.#isLost = true;
        onEvent(name);
      },
      onError: (error) => {
        this.#isLost = true;
        onError(error);
      },
    });
  }
}
