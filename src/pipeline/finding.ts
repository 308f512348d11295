import type { ReasonCode } from '../base/errors.js';

/** One thing that `dropgate doctor` looked at. */
export interface Finding {
  area: FindingArea;
  /** What was looked at, in a word or two. */
  subject: string;
  /** `warning`: works, with a disadvantage. `error`: will not work. */
  status: 'ok' | 'warning' | 'error';
  /** What was found. */
  message: string;
  /** What to do; empty when there is nothing to be done. */
  remedy: string;
  /** The reason code, where one fits. */
  code: ReasonCode | null;
}

export type FindingArea = 'configuration' | 'system' | 'folders' | 'database';

/** A finding that is not in order. */
export interface Trouble {
  subject: string;
  message: string;
  remedy: string;
  code?: ReasonCode;
}

/** Gathers the findings of one area. */
export class Findings {
  readonly list: Finding[] = [];
  readonly #area: FindingArea;

  constructor(area: FindingArea) {
    this.#area = area;
  }

  ok(subject: string, message: string): void {
    this.list.push({ area: this.#area, subject, status: 'ok', message, remedy: '', code: null });
  }

  warning(trouble: Trouble): void {
    this.#add('warning', trouble);
  }

  error(trouble: Trouble): void {
    this.#add('error', trouble);
  }

  #add(status: 'warning' | 'error', { code, ...trouble }: Trouble): void {
    this.list.push({ area: this.#area, status, ...trouble, code: code ?? null });
  }
}
