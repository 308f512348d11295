import { useMemo } from 'preact/hooks';
import type { ChartAnswer, QueryAnswer } from '../../../src/server/api/data.js';
import { type PlotTitles, plotOfChart, plotOfQuery } from '../lib/chart-query.js';
import { formatNumber, plural } from '../lib/format.js';
import type { Figures } from '../lib/plot.js';
import { Chart } from './chart.js';
import { PlotTable } from './plot-table.js';

/** A chart of a table, and what of the rows it does not show. */
export function ChartOfTable({
  answer,
  titles,
  heightPx,
}: {
  answer: ChartAnswer;
  titles: PlotTitles;
  heightPx?: number;
}) {
  const plot = useMemo(() => plotOfChart(answer, titles), [answer, titles]);
  if (answer.rows.length === 0) return <p class="chart-nothing soft">No rows to show.</p>;
  return (
    <>
      <Chart plot={plot} heightPx={heightPx} />
      <ChartNote answer={answer} />
    </>
  );
}

function ChartNote({ answer }: { answer: ChartAnswer }) {
  const { kind, rows_read, rows_left_out, categories_left_out, first_rows } = answer;
  const notes: string[] = [];
  if (first_rows !== undefined)
    notes.push(`Computed from the first ${formatNumber(first_rows)} rows of the table.`);
  if (categories_left_out > 0)
    notes.push(
      `The largest categories are shown; ${formatNumber(categories_left_out)} with ${plural(rows_left_out, 'row')} are left out.`,
    );
  else if (rows_left_out > 0 && kind === 'scatter')
    notes.push(`A sample of ${formatNumber(rows_read - rows_left_out)} out of ${plural(rows_read, 'row')}.`);
  else if (rows_left_out > 0)
    notes.push(`${plural(rows_left_out, 'row')} of ${formatNumber(rows_read)} are not shown.`);
  return notes.length > 0 ? <p class="chart-note soft">{notes.join(' ')}</p> : null;
}

/** The result of a named query: drawn where it can be, else as a table. */
export function ResultOfQuery({ answer, heightPx }: { answer: QueryAnswer; heightPx?: number }) {
  const plot = useMemo(() => plotOfQuery(answer), [answer]);
  const figures = useMemo(() => figuresOf(answer), [answer]);
  return (
    <>
      {plot ? <Chart plot={plot} figures={figures} heightPx={heightPx} /> : <PlotTable plot={figures} />}
      {answer.is_cut && <p class="chart-note soft">The first {formatNumber(answer.rows.length)} rows.</p>}
    </>
  );
}

function figuresOf({ query, columns, rows }: QueryAnswer): Figures {
  return { title: query.title, columns, rows };
}
