const ARMED = process.env.DROPGATE_CRASH_POINT;

/**
 * Marks a moment between two steps at which the process may end without anything being lost. The tests name one in the
 * environment variable DROPGATE_CRASH_POINT; the process then ends there as by `kill -9`. Without it a call costs nothing.
 */
export const crashPoint: (name: CrashPoint) => void =
  ARMED === undefined
    ? () => undefined
    : (name) => {
        if (name === ARMED) process.kill(process.pid, 'SIGKILL');
      };

/** Every moment that is marked, in the order in which a file passes them. */
export const CRASH_POINTS = [
  // In a worker thread.
  'temp-files-written',
  'temp-files-synced',
  // Names: rejected rows, then the Parquet file.
  'rejects-reported',
  'rejects-named',
  'linked',
  'parquet-named',
  'folders-synced',
  'delivery-recorded',
  // The original.
  'failure-reported',
  'original-moved',
  'originals-moved',
  'marker-removed',
  'verdict-told',
  'original-recorded',
  // Loading.
  'load-claimed',
  'rows-copied',
  'before-commit',
  'committed',
  'load-told',
  'load-recorded',
  'load-refused',
  'parked-file-reported',
  'parked-file-moved',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];
