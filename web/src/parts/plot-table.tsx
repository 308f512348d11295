import { axisTitle, cellText, type Figures } from '../lib/plot.js';

/** Beyond these a page becomes slow; a download has them all. */
const MAX_SHOWN_ROWS = 500;

/** The figures of a plot. */
export function PlotTable({ plot }: { plot: Figures }) {
  const { columns, rows, title } = plot;
  const isNumber = columns.map(({ type }) => type === 'number');
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard as well
    <section class="table-box plot-table" tabIndex={0} aria-label={`Figures: ${title}`}>
      <table class="table">
        <caption class="visually-hidden">{title}</caption>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={column.name} scope="col" class={isNumber[index] ? 'number' : undefined}>
                {axisTitle(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MAX_SHOWN_ROWS).map((row, place) => (
            <tr key={place}>
              {columns.map(({ name }, index) => (
                <td key={name} class={isNumber[index] ? 'number' : undefined}>
                  {row[index] === null ? <span class="soft">–</span> : cellText(row[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MAX_SHOWN_ROWS && (
        <p class="soft plot-table-rest">
          The first {MAX_SHOWN_ROWS} of {rows.length} rows; download the CSV for all.
        </p>
      )}
    </section>
  );
}
