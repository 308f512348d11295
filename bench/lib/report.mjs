/**
 * What a section of the benchmark found.
 *
 * @typedef {object} Section
 * @property {string} title
 * @property {Line[]} lines
 * @property {string[]} [notes]
 *
 * @typedef {object} Line
 * @property {string} name
 * @property {string} value the figure, with its unit
 * @property {string} [cpu] CPU time beside a wall time
 * @property {string} [ratio] how it compares
 * @property {string} [target]
 * @property {boolean} [ok] whether the target was reached
 */

const HEAD = { name: '', value: 'figure', cpu: 'cpu', ratio: 'compared', target: 'target', verdict: '' };
const KEYS = Object.keys(HEAD);

/** @param {Section} section */
export function printSection({ title, lines, notes = [] }) {
  const rows = [HEAD, ...lines.map((line) => ({ ...line, verdict: verdictOf(line) }))];
  const widths = KEYS.map((key) => Math.max(...rows.map((row) => (row[key] ?? '').length)));
  console.log(`\n${title}`);
  for (const row of rows)
    console.log(`  ${KEYS.map((key, i) => padded(row[key], widths[i], key)).join('  ')}`.trimEnd());
  for (const note of notes) console.log(`  ${note}`);
}

/** The same as a table for docs/performance.md. @param {Section} section */
export function printMarkdown({ title, lines, notes = [] }) {
  const row = (cells) => `| ${cells.join(' | ')} |`;
  const cells = (line) => KEYS.map((key) => (line[key] ?? '').trim().replaceAll('|', '\\|'));
  console.log(`\n${title}\n\n${row(KEYS.map((key) => HEAD[key]))}\n${row(KEYS.map(() => '---'))}`);
  for (const line of lines) console.log(row(cells({ ...line, verdict: verdictOf(line) })));
  if (notes.length > 0) console.log(`\n${notes.join(' ')}`);
}

function padded(text = '', width, key) {
  return key === 'name' || key === 'verdict' ? text.padEnd(width) : text.padStart(width);
}

function verdictOf({ ok }) {
  if (ok === undefined) return '';
  return ok ? 'reached' : 'MISSED';
}

export function formatMs(ms) {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  return ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function formatMb(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;
}

/**
 * A line for us and one for each peer, which says how much longer it took.
 * @param {{ ours: string, peers: { name: string, least?: number }[], times: Map<string, { ms: number, cpuMs: number }> }} results
 * @returns {Line[]}
 */
export function comparedLines({ ours, peers, times }) {
  const own = times.get(ours);
  return [
    timeLine(ours, own),
    ...peers.map(({ name, least }) => ({
      ...timeLine(name, times.get(name)),
      ...ratioOf(times.get(name).ms / own.ms, least),
    })),
  ];
}

export function timeLine(name, { ms, cpuMs }) {
  return { name, value: formatMs(ms), ...(cpuMs !== undefined && { cpu: formatMs(cpuMs) }) };
}

/** The part of a {@link Line} that asks for a ratio of at least `least`, where one is asked for. */
export function ratioOf(ratio, least) {
  const shown = { ratio: `${ratio.toFixed(2)} x` };
  return least === undefined ? shown : { ...shown, target: `>= ${least} x`, ok: ratio >= least };
}

/** The part of a {@link Line} that asks for a value of at most `most`. */
export function atMost(value, most, unit) {
  return { target: `<= ${most} ${unit}`, ok: value <= most };
}
