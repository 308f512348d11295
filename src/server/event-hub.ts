import { Readable } from 'node:stream';

export interface EventHubOptions {
  /** The state of things now; must be cheap. */
  read(): unknown;
  /** How often it is looked at while somebody listens. */
  everyMs: number;
  /** A sign of life is sent that often, so that nobody between takes the connection for dead. */
  heartbeatMs: number;
  /** More listeners are turned away. */
  maxListeners: number;
}

/** A listener that has not taken so much is cut off; it comes back by itself. */
const MAX_PENDING_BYTES = 256 * 1024;
/** How soon a listener comes back that has lost its connection. */
const RECONNECT_MS = 2000;

/**
 * Tells any number of listeners how things stand whenever that has changed, as server-sent events. All share one timer,
 * which runs only while somebody listens. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class EventHub {
  readonly #options: EventHubOptions;
  readonly #listeners = new Set<Readable>();
  #timer: NodeJS.Timeout | undefined;
  #last = '';
  #silentSinceMs = 0;

  constructor(options: EventHubOptions) {
    this.#options = options;
  }

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** What a new listener hears, beginning with the present state; undefined when there are too many. */
  listen(): Readable | undefined {
    if (this.#listeners.size >= this.#options.maxListeners) return undefined;
    const stream = new Readable({ read: () => undefined });
    this.#listeners.add(stream);
    stream.once('close', () => this.#leave(stream));
    const state = JSON.stringify(this.#options.read());
    stream.push(`retry: ${RECONNECT_MS}\n\n${eventOf(state)}`);
    if (!this.#timer) {
      this.#last = state;
      this.#timer = setInterval(() => this.#look(), this.#options.everyMs);
    }
    return stream;
  }

  /** Ends all connections. */
  close(): void {
    for (const stream of this.#listeners) stream.push(null);
    this.#listeners.clear();
    this.#rest();
  }

  #look(): void {
    const state = JSON.stringify(this.#options.read());
    const nowMs = performance.now();
    if (state !== this.#last) this.#tell(eventOf(state));
    else if (nowMs - this.#silentSinceMs > this.#options.heartbeatMs) this.#tell(': \n\n');
    else return;
    this.#last = state;
    this.#silentSinceMs = nowMs;
  }

  #tell(text: string): void {
    for (const stream of this.#listeners) {
      if (stream.readableLength > MAX_PENDING_BYTES) stream.destroy();
      else stream.push(text);
    }
  }

  #leave(stream: Readable): void {
    this.#listeners.delete(stream);
    if (this.#listeners.size === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function eventOf(json: string): string {
  return `data: ${json}\n\n`;
}
