interface Appointment {
  key: string;
  atMs: number;
}

/**
 * Which key is due when: a binary heap of appointments, one a key. Moving or cancelling an appointment leaves the
 * old one in the heap, where it is recognised as stale when it comes up. Times are milliseconds on any one clock.
 */
export class Agenda {
  readonly #atMs = new Map<string, number>();
  readonly #heap: Appointment[] = [];

  /** Makes `key` due at `atMs`, in place of any earlier appointment. */
  set(key: string, atMs: number): void {
    if (this.#atMs.get(key) === atMs) return;
    this.#atMs.set(key, atMs);
    this.#push({ key, atMs });
  }

  /** Cancels the appointment of `key`, if it has one. */
  delete(key: string): void {
    this.#atMs.delete(key);
  }

  /** When `key` is due, or undefined without an appointment. */
  get(key: string): number | undefined {
    return this.#atMs.get(key);
  }

  /** When the earliest key is due; Infinity when there is none. */
  nextAtMs(): number {
    this.#dropStale();
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Removes and returns the keys due at `nowMs` or before, earliest first. */
  takeDue(nowMs: number): string[] {
    const due: string[] = [];
    while (this.nextAtMs() <= nowMs) {
      const { key } = this.#pop();
      this.#atMs.delete(key);
      due.push(key);
    }
    return due;
  }

  #dropStale(): void {
    while (this.#heap.length > 0 && this.#atMs.get(this.#heap[0].key) !== this.#heap[0].atMs) this.#pop();
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let at = heap.length;
    for (let parent = (at - 1) >> 1; at > 0 && heap[parent].atMs > appointment.atMs; parent = (at - 1) >> 1) {
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = appointment;
  }

  #pop(): Appointment {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) this.#sinkFromTop(last);
    return top;
  }

  #sinkFromTop(appointment: Appointment): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && heap[child + 1].atMs < heap[child].atMs) child++;
      if (child >= heap.length || heap[child].atMs >= appointment.atMs) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = appointment;
  }
}
