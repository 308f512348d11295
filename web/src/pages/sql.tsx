import { useEffect, useRef, useState } from 'preact/hooks';
import type { SqlFormat, SqlOverview, SqlResult, SqlText } from '../../../src/server/api/sql.js';
import { ApiError, api, type Problem, problemOf } from '../lib/api.js';
import { saveFile } from '../lib/download.js';
import { formatDuration, formatNumber } from '../lib/format.js';
import { useApi } from '../lib/load.js';
import { location, setQuery } from '../lib/router.js';
import type { SqlEditor } from '../lib/sql-editor.js';
import { Empty, ProblemNotice } from '../parts/notice.js';
import { SqlEditorBox } from '../parts/sql-editor.js';
import { SqlResultView } from '../parts/sql-result.js';
import { SqlSaveForm } from '../parts/sql-save.js';
import '../style/sql.css';

/** Where the last text stays when the page is left or reloaded. */
const DRAFT = 'sql-draft';

/** Asks the database. */
export default function SqlPage() {
  const { data, problem, reload } = useApi<SqlOverview>('/api/sql');
  if (!data) return problem ? <ProblemNotice problem={problem} /> : null;
  if (data.dialect === null)
    return (
      <Empty title="There is no database">
        <p>
          <code>db_creds.yaml</code> says <code>engine: none</code>. Name a database there to ask it.
        </p>
      </Empty>
    );
  if (data.objection !== null)
    return (
      <Empty title="SQL is for administrators here">
        <p>{data.objection}.</p>
      </Empty>
    );
  return <Workbench overview={data} reload={reload} />;
}

function Workbench({ overview, reload }: { overview: SqlOverview; reload(): void }) {
  const [text, setText] = useState(sessionStorage.getItem(DRAFT) ?? '');
  const [isSaving, setSaving] = useState(false);
  const editor = useRef<SqlEditor | undefined>(undefined);
  const { result, problem, isRunning, run, cancel, download, show } = useStatement();
  const opened = location.value.query.get('query') ?? '';

  const keep = (next: string) => {
    setText(next);
    sessionStorage.setItem(DRAFT, next);
  };
  const put = (next: string) => {
    keep(next);
    if (editor.current) editor.current.text = next;
  };
  useEffect(() => {
    if (opened === '') return;
    api<SqlText>(`/api/sql/queries/${encodeURIComponent(opened)}`).then(({ sql }) => put(sql), show);
  }, [opened]);
  const runText = () => run(editor.current?.text ?? text);

  return (
    <>
      <h1>SQL</h1>
      <div class="sql-page">
        <aside class="stack">
          <QueryList overview={overview} opened={opened} />
          <TableList overview={overview} onPick={put} />
        </aside>
        <div class="stack">
          <section class="card stack" aria-label="Statement">
            <SqlEditorBox
              initial={text}
              words={overview}
              onChange={keep}
              onRun={runText}
              onReady={(ready) => {
                editor.current = ready;
              }}
            />
            <div class="row">
              {isRunning ? (
                <button type="button" class="button" onClick={cancel}>
                  Cancel
                </button>
              ) : (
                <button
                  type="button"
                  class="button primary"
                  disabled={text.trim() === ''}
                  onClick={runText}
                  title="Ctrl+Enter"
                >
                  Run
                </button>
              )}
              <button
                type="button"
                class="button"
                disabled={text.trim() === ''}
                onClick={() => setSaving(!isSaving)}
              >
                Save as…
              </button>
              <span class="soft sql-limits" role="status">
                {isRunning
                  ? 'Running…'
                  : `Reads only. Up to ${formatNumber(overview.max_rows)} rows and ${formatDuration(overview.timeout_ms)}. Ctrl+Enter runs.`}
              </span>
            </div>
            {isSaving && (
              <SqlSaveForm
                sql={text}
                name={opened}
                queries={overview.queries}
                onSaved={(name) => {
                  setSaving(false);
                  setQuery({ query: name }, { replace: true });
                  reload();
                }}
                onClose={() => setSaving(false)}
              />
            )}
          </section>
          {problem && (
            <StatementProblem problem={problem} onGoTo={(...place) => editor.current?.goTo(...place)} />
          )}
          {result && <SqlResultView result={result} onDownload={download} />}
        </div>
      </div>
    </>
  );
}

function QueryList({ overview, opened }: { overview: SqlOverview; opened: string }) {
  return (
    <section class="card stack">
      <h2>Queries</h2>
      {overview.queries.length === 0 && <p class="soft">None yet. Save a statement to find it here.</p>}
      <ul class="sql-list">
        {overview.queries.map(({ name, title, question }) => (
          <li key={name}>
            <a
              href={`/sql?query=${encodeURIComponent(name)}`}
              aria-current={name === opened ? 'true' : undefined}
            >
              {title}
            </a>
            {question !== '' && <span class="soft">{question}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function TableList({ overview, onPick }: { overview: SqlOverview; onPick(sql: string): void }) {
  const quote = overview.dialect === 'mysql' ? '`' : '"';
  const quoted = (name: string) =>
    /^[a-z_][a-z0-9_]*$/.test(name) ? name : quote + name.replaceAll(quote, quote + quote) + quote;
  return (
    <section class="card stack">
      <h2>Tables</h2>
      {overview.tables.length === 0 && <p class="soft">None yet. They come with the first file.</p>}
      {overview.tables.map(({ name, columns }) => (
        <details key={name} class="sql-table">
          <summary>{name}</summary>
          <p class="soft sql-columns">{columns.join(', ')}</p>
          <button
            type="button"
            class="button"
            onClick={() => onPick(`SELECT *\nFROM ${quoted(name)}\nLIMIT 100`)}
          >
            Show rows of {name}
          </button>
        </details>
      ))}
    </section>
  );
}

function StatementProblem({
  problem,
  onGoTo,
}: {
  problem: Problem;
  onGoTo(line: number, column: number): void;
}) {
  const place = /\(line (\d+), column (\d+)\)|at line (\d+)/.exec(problem.detail);
  const [line, column] = place ? [Number(place[1] ?? place[3]), Number(place[2] ?? 1)] : [0, 0];
  return (
    <div class="stack">
      <ProblemNotice problem={problem} />
      {place && (
        <div>
          <button type="button" class="button" onClick={() => onGoTo(line, column)}>
            Go to line {line}
          </button>
        </div>
      )}
    </div>
  );
}

const CANCELLED: Problem = { title: 'Cancelled', status: 0, detail: 'The statement was cancelled.' };

/** Runs one statement at a time; leaving the page cancels it, which the server passes on to the database. */
function useStatement() {
  const [result, setResult] = useState<SqlResult>();
  const [problem, setProblem] = useState<Problem>();
  const [isRunning, setRunning] = useState(false);
  const aborter = useRef<AbortController | undefined>(undefined);
  const last = useRef('');
  useEffect(() => () => aborter.current?.abort(), []);

  const attempt = async (work: (signal: AbortSignal) => Promise<void>) => {
    aborter.current?.abort();
    const own = new AbortController();
    aborter.current = own;
    setRunning(true);
    setProblem(undefined);
    try {
      await work(own.signal);
    } catch (error) {
      if (aborter.current !== own) return;
      if (own.signal.aborted) setProblem(CANCELLED);
      else show(error);
    }
    if (aborter.current === own) setRunning(false);
  };
  const show = (error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    setProblem(error.problem);
  };
  return {
    ...{ result, problem, isRunning, show },
    cancel: () => aborter.current?.abort(),
    run: (sql: string) =>
      attempt(async (signal) => {
        last.current = sql;
        setResult(undefined);
        setResult(await api<SqlResult>('/api/sql/run', { method: 'POST', json: { sql }, signal }));
      }),
    /** Of the statement whose result is shown. */
    download: (format: SqlFormat) =>
      attempt(async (signal) => {
        const response = await fetch('/api/sql/download', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'X-Dropgate': '1' },
          body: JSON.stringify({ sql: last.current, format }),
          signal,
        });
        if (!response.ok) throw new ApiError(await problemOf(response));
        saveFile(`result.${format}`, await response.blob());
      }),
  };
}
