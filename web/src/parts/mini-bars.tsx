import type { ColumnProfile } from '../../../src/server/api/data.js';
import { cellText } from '../lib/plot.js';

const WIDTH = 240;
const HEIGHT = 56;

/** A histogram that fits on a card. The figures are told to those who do not see it. */
export function MiniHistogram({ name, bins }: { name: string; bins: ColumnProfile['histogram'] }) {
  const most = Math.max(...bins.map(({ rows }) => rows), 1);
  const step = WIDTH / bins.length;
  const first = cellText(bins[0].from);
  const last = cellText(bins.at(-1)!.to ?? bins.at(-1)!.from);
  return (
    <div class="mini">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Distribution of ${name} from ${first} to ${last}`}
      >
        {bins.map(({ from, to, rows }, index) => {
          const height = rows === 0 ? 0 : Math.max(1.5, (rows / most) * HEIGHT);
          const gap = step > 4 ? 1 : 0;
          return (
            <rect
              key={index}
              class="mini-bar"
              x={index * step}
              y={HEIGHT - height}
              width={step - gap}
              height={height}
            >
              <title>{`${cellText(from)}${to === null || to === from ? '' : ` to ${cellText(to)}`}: ${rows}`}</title>
            </rect>
          );
        })}
      </svg>
      <div class="mini-ends soft" aria-hidden="true">
        <span>{first}</span>
        <span>{last}</span>
      </div>
    </div>
  );
}

const SHOWN_VALUES = 5;

/** The most frequent values with their share. */
export function MiniTop({ top, total }: { top: ColumnProfile['top']; total: number }) {
  return (
    <ul class="mini-top">
      {top.slice(0, SHOWN_VALUES).map(({ value, rows }) => (
        <li key={String(value)}>
          <span class="mini-top-value">{cellText(value)}</span>
          <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect class="mini-track" x="0" y="0" width="100" height="6" />
            <rect class="mini-bar" x="0" y="0" width={total > 0 ? (100 * rows) / total : 0} height="6" />
          </svg>
          <span class="number">{total > 0 ? `${Math.round((100 * rows) / total)} %` : ''}</span>
        </li>
      ))}
    </ul>
  );
}
