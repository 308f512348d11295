import { useState } from 'preact/hooks';
import type { Queries, Query, QueryAnswer, Table, Tables } from '../../../../src/server/api/data.js';
import { formatAgo, formatNumber, formatTime, plural } from '../../lib/format.js';
import { useApi } from '../../lib/load.js';
import { ResultOfQuery } from '../../parts/chart-panel.js';
import { Empty, ProblemNotice } from '../../parts/notice.js';

/** All tables, and the named queries. */
export function TableList() {
  const { data, problem } = useApi<Tables>('/api/tables');
  return (
    <>
      <h1>Data</h1>
      {problem && <ProblemNotice problem={problem} />}
      {data?.tables.length === 0 && (
        <section class="card">
          <Empty title="No tables">
            <p>
              Tables are declared in <code>config/schema.yaml</code>; each dataset with columns has one.
            </p>
          </Empty>
        </section>
      )}
      <div class="data-tables">
        {data?.tables.map((table) => (
          <TableCard key={table.name} table={table} />
        ))}
      </div>
      <QueryList />
    </>
  );
}

function TableCard({ table }: { table: Table }) {
  const path = `/data/${encodeURIComponent(table.name)}`;
  const isEmpty = !table.rows;
  return (
    <section class="card stack">
      <h2>
        <a href={path}>{table.name}</a>
      </h2>
      <Facts table={table} />
      {isEmpty ? (
        <p class="soft">
          Nothing is loaded yet. Copy a CSV file into <code>input_csv/</code>.
        </p>
      ) : (
        <div class="row">
          <a class="button" href={path}>
            Profile and rows
          </a>
          <a class="button" href={`${path}/chart`}>
            Make a chart
          </a>
        </div>
      )}
    </section>
  );
}

/** Rows, columns, files and the last load of a table. */
export function Facts({ table }: { table: Table }) {
  const { rows, is_estimate, columns, loads, last_loaded_at } = table;
  return (
    <dl class="facts">
      <div>
        <dt>Rows</dt>
        <dd>{rows === null ? '–' : `${is_estimate ? 'about ' : ''}${formatNumber(rows)}`}</dd>
      </div>
      <div>
        <dt>Columns</dt>
        <dd>{formatNumber(columns.length)}</dd>
      </div>
      <div>
        <dt>Loads</dt>
        <dd>{plural(loads, 'file')}</dd>
      </div>
      <div>
        <dt>Last load</dt>
        <dd>
          {last_loaded_at ? (
            <time dateTime={last_loaded_at} title={formatTime(last_loaded_at)}>
              {formatAgo(last_loaded_at)}
            </time>
          ) : (
            '–'
          )}
        </dd>
      </div>
    </dl>
  );
}

function QueryList() {
  const { data, problem } = useApi<Queries>('/api/queries');
  return (
    <section class="stack" aria-labelledby="queries">
      <h2 id="queries">Named queries</h2>
      {problem && <ProblemNotice problem={problem} />}
      {data?.queries.length === 0 && (
        <p class="soft">
          A file in <code>sql/</code> is a named query.
        </p>
      )}
      {data?.queries.map((query) => (
        <QueryItem key={query.name} query={query} />
      ))}
    </section>
  );
}

function QueryItem({ query }: { query: Query }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="card query" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="query-title">{query.title}</span>
        <span class="soft">{query.question}</span>
      </summary>
      {isOpen && <QueryResult name={query.name} />}
    </details>
  );
}

function QueryResult({ name }: { name: string }) {
  const { data, problem } = useApi<QueryAnswer>(`/api/queries/${encodeURIComponent(name)}/result`);
  if (problem) return <ProblemNotice problem={problem} />;
  return data ? <ResultOfQuery answer={data} /> : <p class="soft">Asking the database …</p>;
}
