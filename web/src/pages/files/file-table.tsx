import { useEffect, useRef, useState } from 'preact/hooks';
import type { FileList, FileSummary } from '../../../../src/server/api/files.js';
import { isNarrowed, listAddress, PAGE_SIZE, pageOf } from '../../lib/file-query.js';
import { codeTitle, STATES } from '../../lib/file-words.js';
import { formatBytes, formatDuration, formatNumber, formatTime, plural } from '../../lib/format.js';
import { live, useReloadOnChange } from '../../lib/live.js';
import { useApi } from '../../lib/load.js';
import { go, location, setQuery } from '../../lib/router.js';
import { Empty, ProblemNotice } from '../../parts/notice.js';
import { TableBox } from '../../parts/table-box.js';
import { FileFilters } from './file-filters.js';

const RELOAD_MS = 1000;

/** All files, searched, sorted and by pages. */
export function FileTable({ inputFolder }: { inputFolder: string }) {
  const { query } = location.value;
  const { data, problem, isLoading, reload } = useApi<FileList>(listAddress(query));
  // Rows do not move under the pointer of somebody who is about to click.
  const [isHeld, setHeld] = useState(false);
  useReloadOnChange(reload, { everyMs: RELOAD_MS, isHeld });
  const heading = useRef<HTMLHeadingElement>(null);
  return (
    <section class="stack" aria-labelledby="list-title">
      <div class="row">
        <h2 id="list-title" ref={heading} tabIndex={-1}>
          All files
        </h2>
        <span class="soft" role="status">
          {data && countText(data, query)}
          {isHeld && <NewerFiles shownRevision={data} onShow={reload} />}
        </span>
      </div>
      <FileFilters />
      {problem && problem.status !== 0 && <ProblemNotice problem={problem} />}
      {data && data.total === 0 ? (
        <section class="card">
          <NoFiles isNarrowed={isNarrowed(query)} inputFolder={inputFolder} />
        </section>
      ) : (
        data && (
          <>
            <TableBox
              label="List of files"
              aria-busy={isLoading}
              onPointerEnter={() => setHeld(true)}
              onPointerLeave={() => setHeld(false)}
            >
              <Rows list={data} />
            </TableBox>
            <Pages list={data} onTurn={() => heading.current?.focus()} />
          </>
        )
      )}
    </section>
  );
}

function countText({ total }: FileList, query: URLSearchParams): string {
  return isNarrowed(query) ? `${plural(total, 'file')} found` : plural(total, 'file');
}

/** Offers what has come while the list was held. */
function NewerFiles({ shownRevision, onShow }: { shownRevision: unknown; onShow(): void }) {
  const revision = live.value?.revision;
  const [base, setBase] = useState(revision);
  useEffect(() => setBase(live.value?.revision), [shownRevision]);
  if (revision === base) return null;
  return (
    <button type="button" class="button quiet" onClick={onShow}>
      Show what is new
    </button>
  );
}

function NoFiles({ isNarrowed: narrowed, inputFolder }: { isNarrowed: boolean; inputFolder: string }) {
  if (narrowed)
    return (
      <Empty title="No file is like that">
        <a href="/">Show all files</a>
      </Empty>
    );
  return (
    <Empty title="No files yet">
      <p>
        Copy a CSV file into <code>{inputFolder}/</code>; it shows here a moment later.
      </p>
    </Empty>
  );
}

interface Column {
  /** What the API sorts by. */
  sort: string;
  title: string;
  isNumber?: boolean;
  cell(file: FileSummary): string;
}

const COLUMNS: Column[] = [
  { sort: 'dataset', title: 'Dataset', cell: ({ dataset }) => dataset ?? '' },
  {
    sort: 'rows_in',
    title: 'Rows in',
    isNumber: true,
    cell: ({ rows_in: rows }) => formatNumber(rows),
  },
  {
    sort: 'rows_out',
    title: 'Rows out',
    isNumber: true,
    cell: ({ rows_out: rows }) => formatNumber(rows),
  },
  { sort: 'bytes_in', title: 'Size', isNumber: true, cell: ({ bytes_in: bytes }) => formatBytes(bytes) },
  {
    sort: 'bytes_out',
    title: 'Parquet',
    isNumber: true,
    cell: ({ bytes_out: bytes }) => (bytes > 0 ? formatBytes(bytes) : ''),
  },
  {
    sort: 'convert_ms',
    title: 'Took',
    isNumber: true,
    cell: ({ convert_ms: ms }) => (ms === null ? '' : formatDuration(ms)),
  },
  { sort: 'arrived_at', title: 'Arrived', cell: ({ arrived_at: at }) => formatTime(at) },
];

function Rows({ list }: { list: FileList }) {
  const { query } = location.value;
  const rest = query.toString();
  const addressOf = ({ id }: FileSummary) => `/files/${id}${rest ? `?${rest}` : ''}`;
  const open = (event: MouseEvent, file: FileSummary) => {
    const isOwn = (event.target as Element).closest('a') !== null;
    const isSelecting = window.getSelection()?.toString() !== '';
    if (!isOwn && !isSelecting) go(addressOf(file));
  };
  return (
    <table class="table file-table">
      <thead>
        <tr>
          <SortHead sort="name" title="File" />
          <SortHead sort="state" title="State" />
          {COLUMNS.map(({ sort, title, isNumber }) => (
            <SortHead key={sort} sort={sort} title={title} isNumber={isNumber} />
          ))}
          <SortHead sort="code" title="Reason" />
        </tr>
      </thead>
      <tbody>
        {list.files.map((file) => (
          // The link in the first cell does the same for the keyboard.
          <tr key={file.id} onClick={(event) => open(event, file)}>
            <td class="file-name">
              <a href={addressOf(file)}>{file.name}</a>
            </td>
            <td>
              <span class={`badge ${STATES[file.state].tone}`}>{STATES[file.state].title}</span>
            </td>
            {COLUMNS.map(({ sort, isNumber, cell }) => (
              <td key={sort} class={isNumber ? 'number' : undefined}>
                {cell(file)}
              </td>
            ))}
            <td class="reason" title={file.message ?? undefined}>
              {file.code === null ? '' : codeTitle(file.code)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function SortHead({ sort, title, isNumber }: { sort: string; title: string; isNumber?: boolean }) {
  const { query } = location.value;
  const isSorted = query.get('sort') === sort;
  const isAscending = query.get('order') === 'asc';
  const next = isSorted && isAscending ? 'desc' : 'asc';
  const change = () => setQuery({ sort, order: next, page: undefined }, { replace: true });
  return (
    <th
      scope="col"
      class={isNumber ? 'number' : undefined}
      aria-sort={isSorted ? (isAscending ? 'ascending' : 'descending') : undefined}
    >
      <button type="button" class="sort" onClick={change}>
        {title}
        <span aria-hidden="true">{isSorted ? (isAscending ? ' ▲' : ' ▼') : ''}</span>
      </button>
    </th>
  );
}

function Pages({ list, onTurn }: { list: FileList; onTurn(): void }) {
  const page = pageOf(location.value.query);
  const last = Math.max(1, Math.ceil(list.total / PAGE_SIZE));
  const turn = (to: number) => {
    setQuery({ page: to === 1 ? undefined : String(to) }, { replace: true });
    onTurn();
  };
  if (last === 1) return null;
  return (
    <nav class="row pages" aria-label="Pages of the list">
      <button type="button" class="button" disabled={page <= 1} onClick={() => turn(1)}>
        First
      </button>
      <button type="button" class="button" disabled={page <= 1} onClick={() => turn(page - 1)}>
        Previous
      </button>
      <span>
        Page {formatNumber(page)} of {formatNumber(last)}
      </span>
      <button type="button" class="button" disabled={page >= last} onClick={() => turn(page + 1)}>
        Next
      </button>
      <button type="button" class="button" disabled={page >= last} onClick={() => turn(last)}>
        Last
      </button>
    </nav>
  );
}
