import v8 from 'node:v8';

/**
 * What a function must have run, in bytes of bytecode, for each of the ticks after which V8 compiles it anew with
 * optimizations. V8's own is 67,584.
 */
const YOUNG_BUDGET = 400_000;
const USUAL_BUDGET = 67_584;
/** A long function needs one tick more for each so many bytes of its own. V8's own is 150. */
const BYTES_FOR_A_TICK = 400;
/** After so much processor time what the first files cost is over. */
const YOUNG_CPU_MS = 10_000;
const LOOK_MS = 2_000;

let isYoung = true;

/**
 * Has V8 compile only what is really hot for the first files. Each thread compiles for itself, on the cores that convert: of
 * the processor time of a first thousand small files it took a third. The long loops of a large file are compiled sooner than by V8
 * itself. A process that has worked for some time gets the usual budget, so that the rest is compiled as well.
 */
export function optimizeLittleAtFirst(): void {
  if (!isYoung) return;
  isYoung = false;
  v8.setFlagsFromString(`--interrupt-budget=${YOUNG_BUDGET}`);
  v8.setFlagsFromString(`--bytecode-size-allowance-per-tick=${BYTES_FOR_A_TICK}`);
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1000 < YOUNG_CPU_MS) return;
    clearInterval(timer);
    v8.setFlagsFromString(`--interrupt-budget=${USUAL_BUDGET}`);
  }, LOOK_MS);
  timer.unref();
}
