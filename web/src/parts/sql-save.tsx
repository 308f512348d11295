import { useState } from 'preact/hooks';
import type { SqlQuery, SqlSave } from '../../../src/server/api/sql.js';
import { ApiError, api, type Problem } from '../lib/api.js';
import { ProblemNotice } from './notice.js';

export interface SqlSaveFormProps {
  /** What is to be saved. */
  sql: string;
  /** Name of the query that was opened. */
  name: string;
  queries: SqlQuery[];
  onSaved(name: string): void;
  onClose(): void;
}

/** Asks for the name under which a query is kept; one that is taken is replaced when that is said. */
export function SqlSaveForm({ sql, name: initial, queries, onSaved, onClose }: SqlSaveFormProps) {
  const [name, setName] = useState(initial);
  const [problem, setProblem] = useState<Problem>();
  const replaces = queries.some((query) => query.name === name && !query.is_shipped);
  const submit = async (event: Event) => {
    event.preventDefault();
    const json: SqlSave = { sql, replace: replaces };
    try {
      await api(`/api/sql/queries/${encodeURIComponent(name)}`, { method: 'PUT', json });
      onSaved(name);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.problem);
    }
  };
  return (
    <form class="stack" onSubmit={submit}>
      <div class="row sql-save">
        <label class="field">
          Name of the query
          <input
            class="input"
            value={name}
            required
            maxLength={80}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </label>
        <button type="submit" class="button primary">
          {replaces ? 'Replace' : 'Save'}
        </button>
        <button type="button" class="button quiet" onClick={onClose}>
          Close
        </button>
      </div>
      {problem && <ProblemNotice problem={problem} />}
    </form>
  );
}
