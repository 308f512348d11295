/** Differences up to this are slewing and delays, in milliseconds. */
const TOLERANCE_MS = 60_000;

/** Where the time comes from, in milliseconds. */
export interface Clocks {
  /** May jump: somebody sets it, a time server corrects it, the machine was asleep. */
  wall(): number;
  /** Never jumps. */
  steady(): number;
}

/** Those of the machine. */
export const OWN_CLOCKS: Clocks = { wall: Date.now, steady: performance.now.bind(performance) };

/** Notices that the wall clock has jumped, for work that a wrong clock would spoil. */
export class ClockWatch {
  readonly #clocks: Clocks;
  #wallMs: number;
  #steadyMs: number;

  constructor(clocks = OWN_CLOCKS) {
    this.#clocks = clocks;
    this.#wallMs = clocks.wall();
    this.#steadyMs = clocks.steady();
  }

  /** How far the clock has jumped since the last look, in milliseconds; negative for backwards, 0 when it has not. */
  look(): number {
    const wallMs = this.#clocks.wall();
    const steadyMs = this.#clocks.steady();
    const jumpMs = wallMs - this.#wallMs - (steadyMs - this.#steadyMs);
    this.#wallMs = wallMs;
    this.#steadyMs = steadyMs;
    return Math.abs(jumpMs) <= TOLERANCE_MS ? 0 : jumpMs;
  }
}
