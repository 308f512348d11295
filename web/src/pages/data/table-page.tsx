import { useState } from 'preact/hooks';
import type { Cell, ColumnProfile, TableProfile, TableRows } from '../../../../src/server/api/data.js';
import { formatNumber } from '../../lib/format.js';
import { useApi } from '../../lib/load.js';
import { cellText } from '../../lib/plot.js';
import { MiniHistogram, MiniTop } from '../../parts/mini-bars.js';
import { Empty, ProblemNotice } from '../../parts/notice.js';
import { Facts } from './table-list.js';

/** What each column of a table holds, and its first rows. */
export function TablePage({ name }: { name: string }) {
  const path = encodeURIComponent(name);
  const { data, problem } = useApi<TableProfile>(`/api/tables/${path}/profile`);
  return (
    <>
      <p class="crumbs">
        <a href="/data">Data</a>
      </p>
      <div class="row page-head">
        <h1>{name}</h1>
        <a class="button primary" href={`/data/${path}/chart`}>
          Make a chart
        </a>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {!data && !problem && <p class="soft">Reading the table …</p>}
      {data && <Profile profile={data} />}
      {data && data.profiled_rows > 0 && <FirstRows path={path} profile={data} />}
    </>
  );
}

function Profile({ profile }: { profile: TableProfile }) {
  const { table, profiled_rows, columns } = profile;
  const isPart = table.rows !== null && profiled_rows < table.rows;
  return (
    <>
      <section class="card stack">
        <Facts table={table} />
        {isPart && (
          <p class="soft">The profile is computed from the first {formatNumber(profiled_rows)} rows.</p>
        )}
      </section>
      {profiled_rows === 0 ? (
        <section class="card">
          <Empty title="No rows yet">
            <p>
              Copy a CSV file into <code>input_csv/</code>.
            </p>
          </Empty>
        </section>
      ) : (
        <section aria-label="Columns" class="profile">
          {columns.map((column) => (
            <ProfileCard key={column.name} table={table.name} {...{ column, rows: profiled_rows }} />
          ))}
        </section>
      )}
    </>
  );
}

function ProfileCard({ table, column, rows }: { table: string; column: ColumnProfile; rows: number }) {
  const { name, type, nulls, distinct, histogram, top, is_hidden } = column;
  const kind = histogram.length > 0 ? 'histogram' : 'bar';
  const query = new URLSearchParams({ kind, x: name });
  return (
    <article class="card profile-card">
      <header>
        <h3>{is_hidden ? name : <a href={`/data/${encodeURIComponent(table)}/chart?${query}`}>{name}</a>}</h3>
        <span class="badge">{type}</span>
      </header>
      {is_hidden ? (
        <p class="soft">The values are private.</p>
      ) : (
        <>
          {histogram.length > 0 && <MiniHistogram name={name} bins={histogram} />}
          {top.length > 0 && <MiniTop top={top} total={rows - nulls} />}
        </>
      )}
      <dl class="profile-facts">
        <Fact
          name="Missing"
          value={nulls === 0 ? 'none' : `${formatNumber(nulls)} (${share(nulls, rows)})`}
        />
        {distinct !== null && <Fact name="Distinct" value={formatNumber(distinct)} />}
        {histogram.length > 0 && (
          <>
            <Fact name="Smallest" value={cellText(column.min)} />
            <Fact name="Largest" value={cellText(column.max)} />
          </>
        )}
        {column.mean !== null && <Fact name="Mean" value={short(column.mean)} />}
        {column.median !== null && <Fact name="Median" value={short(column.median)} />}
      </dl>
    </article>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const SHORT = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

function short(value: number): string {
  return SHORT.format(value);
}

function share(part: number, whole: number): string {
  return `${SHORT.format((100 * part) / whole)} %`;
}

const PAGE_ROWS = 25;

function FirstRows({ path, profile }: { path: string; profile: TableProfile }) {
  const [offset, setOffset] = useState(0);
  const { data, problem } = useApi<TableRows>(`/api/tables/${path}/rows?limit=${PAGE_ROWS}&offset=${offset}`);
  const numbers = new Set(
    profile.columns.filter((column) => column.class === 'number').map(({ name }) => name),
  );
  const isLast = !data || data.rows.length < PAGE_ROWS;
  return (
    <section class="stack" aria-labelledby="rows">
      <div class="row page-head">
        <h2 id="rows">Rows</h2>
        <div class="row">
          <button
            type="button"
            class="button"
            disabled={offset === 0}
            onClick={() => setOffset(offset - PAGE_ROWS)}
          >
            Previous
          </button>
          <span class="soft" aria-live="polite">
            {data ? `${formatNumber(data.offset + 1)} – ${formatNumber(data.offset + data.rows.length)}` : ''}
          </span>
          <button
            type="button"
            class="button"
            disabled={isLast}
            onClick={() => setOffset(offset + PAGE_ROWS)}
          >
            Next
          </button>
        </div>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      {data && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keyboard as well
        <section class="table-box" aria-label="Rows of the table" tabIndex={0}>
          <table class="table">
            <thead>
              <tr>
                {data.columns.map((name) => (
                  <th key={name} scope="col" class={numbers.has(name) ? 'number' : undefined}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.rows.map((row, place) => (
                <tr key={place}>
                  {row.map((cell, index) => (
                    <td
                      key={data.columns[index]}
                      class={numbers.has(data.columns[index]) ? 'number' : undefined}
                    >
                      <CellText cell={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

function CellText({ cell }: { cell: Cell }) {
  return cell === null ? <span class="soft">–</span> : <span>{String(cell)}</span>;
}
