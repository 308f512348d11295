import { useMemo, useState } from 'preact/hooks';
import type { SqlFormat, SqlResult } from '../../../src/server/api/sql.js';
import { formatDuration, plural } from '../lib/format.js';
import type { PlotColumn } from '../lib/plot.js';
import { describeColumns, type PlotChoice, plotOf, suggestPlot } from '../lib/sql-plot.js';
import { Chart } from './chart.js';
import { Empty } from './notice.js';

const PAGE_ROWS = 100;
const FORMATS: [SqlFormat, string][] = [
  ['csv', 'CSV'],
  ['json', 'JSON'],
  ['parquet', 'Parquet'],
];

export interface SqlResultViewProps {
  result: SqlResult;
  onDownload(format: SqlFormat): void;
}

/** The rows of a statement as a table or a plot. */
export function SqlResultView({ result, onDownload }: SqlResultViewProps) {
  const [isPlot, setPlot] = useState(false);
  const { rows, duration_ms, is_truncated } = result;
  const count = is_truncated ? `The first ${plural(rows.length, 'row')}` : plural(rows.length, 'row');
  return (
    <section class="card stack" aria-label="Result">
      <div class="row">
        <strong aria-live="polite">{count}</strong>
        <span class="soft">{formatDuration(duration_ms)}</span>
        {is_truncated && <span class="badge warn">there are more</span>}
        <fieldset class="sql-tools row">
          <legend class="visually-hidden">Show and download</legend>
          <button type="button" class="button" aria-pressed={!isPlot} onClick={() => setPlot(false)}>
            Table
          </button>
          <button type="button" class="button" aria-pressed={isPlot} onClick={() => setPlot(true)}>
            Plot
          </button>
          {FORMATS.map(([format, title]) => (
            <button
              type="button"
              class="button quiet"
              key={format}
              aria-label={`Download ${title}`}
              onClick={() => onDownload(format)}
            >
              {title}
            </button>
          ))}
        </fieldset>
      </div>
      {isPlot ? <ResultPlot result={result} /> : <ResultTable result={result} />}
    </section>
  );
}

function ResultTable({ result }: { result: SqlResult }) {
  const [page, setPage] = useState(0);
  const columns = useMemo(() => describeColumns(result), [result]);
  const pages = Math.ceil(result.rows.length / PAGE_ROWS);
  // Another result begins at its beginning.
  const shown = Math.min(page, Math.max(0, pages - 1));
  if (result.rows.length === 0) return <Empty title="No rows">The statement has run and found none.</Empty>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <section class="table-box sql-rows" aria-label="Rows" tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              {columns.map(({ title, type }, index) => (
                <th key={index} scope="col" class={type === 'number' ? 'number' : undefined}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {result.rows.slice(shown * PAGE_ROWS, (shown + 1) * PAGE_ROWS).map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td key={column} class={columns[column].type === 'number' ? 'number' : undefined}>
                    {cell === null ? <span class="soft">NULL</span> : String(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {pages > 1 && (
        <nav class="row" aria-label="Pages of the result">
          <button type="button" class="button" disabled={shown === 0} onClick={() => setPage(shown - 1)}>
            Previous
          </button>
          <span class="soft">
            Page {shown + 1} of {pages}
          </span>
          <button
            type="button"
            class="button"
            disabled={shown === pages - 1}
            onClick={() => setPage(shown + 1)}
          >
            Next
          </button>
        </nav>
      )}
    </>
  );
}

function ResultPlot({ result }: { result: SqlResult }) {
  const columns = useMemo(() => describeColumns(result), [result]);
  const suggestion = useMemo(() => suggestPlot(result, columns), [columns, result]);
  const [chosen, setChosen] = useState<Partial<PlotChoice>>({});
  if (!suggestion)
    return <Empty title="Nothing to plot">A plot needs rows, a column with numbers, and another one.</Empty>;
  const choice = known({ ...suggestion, ...chosen }, columns) ?? suggestion;
  const numbers = columns.filter(({ type }) => type === 'number');
  return (
    <>
      <div class="row">
        <Choice
          label="Kind"
          value={choice.kind}
          options={['bar', 'line', 'scatter']}
          onChange={(kind) => setChosen({ ...chosen, kind: kind as PlotChoice['kind'] })}
        />
        <Choice
          label="Across"
          value={choice.x}
          options={columns.map(({ name }) => name)}
          onChange={(x) => setChosen({ ...chosen, x })}
        />
        <Choice
          label="Up"
          value={choice.y}
          options={numbers.map(({ name }) => name)}
          onChange={(y) => setChosen({ ...chosen, y })}
        />
        <Choice
          label="Colour"
          value={choice.series}
          options={['', ...columns.filter(({ type }) => type !== 'number').map(({ name }) => name)]}
          onChange={(series) => setChosen({ ...chosen, series })}
        />
      </div>
      <PlotOf result={result} columns={columns} choice={choice} />
    </>
  );
}

function PlotOf({
  result,
  columns,
  choice,
}: {
  result: SqlResult;
  columns: PlotColumn[];
  choice: PlotChoice;
}) {
  const { kind, x, y, series } = choice;
  const plot = useMemo(
    () => plotOf(result, columns, { kind, x, y, series }),
    [result, columns, kind, x, y, series],
  );
  return <Chart plot={plot} />;
}

function known(choice: PlotChoice, columns: PlotColumn[]): PlotChoice | undefined {
  const has = (name: string) => columns.some((column) => column.name === name);
  const { x, y, series } = choice;
  return has(x) && has(y) && (series === '' || has(series)) ? choice : undefined;
}

interface ChoiceProps {
  label: string;
  value: string;
  options: string[];
  onChange(value: string): void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label class="field">
      {label}
      <select class="input" value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map((option) => (
          <option key={option} value={option}>
            {option === '' ? 'none' : option}
          </option>
        ))}
      </select>
    </label>
  );
}
