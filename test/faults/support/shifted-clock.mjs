// Loaded into the daemon with --import: its wall clock is off by as many milliseconds as the file says that CLOCK_SHIFT names.
import { readFileSync } from 'node:fs';

const RealDate = Date;

function shiftMs() {
  try {
    return Number(readFileSync(process.env.CLOCK_SHIFT, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

globalThis.Date = class ShiftedDate extends RealDate {
  constructor(...given) {
    super(...(given.length > 0 ? given : [RealDate.now() + shiftMs()]));
  }

  static now() {
    return RealDate.now() + shiftMs();
  }
};
