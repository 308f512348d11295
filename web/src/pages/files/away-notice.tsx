import { formatTime } from '../../lib/format.js';
import { awaySince } from '../../lib/live.js';

/** Says that the daemon does not answer, as long as that is so. */
export function AwayNotice() {
  const since = awaySince.value;
  if (since === undefined) return null;
  return (
    <div class="notice" role="alert">
      <strong>Dropgate does not answer since {formatTime(since)}</strong>
      <span>
        What you see is from before. The page tries again every few seconds and goes on by itself once the
        daemon is there.
      </span>
    </div>
  );
}
