import { useEffect, useState } from 'preact/hooks';
import type { FileFilters as Filters } from '../../../../src/server/api/files.js';
import { isNarrowed, type QueryKey, TIMES } from '../../lib/file-query.js';
import { codeTitle, STATES } from '../../lib/file-words.js';
import { useReloadOnChange } from '../../lib/live.js';
import { useApi } from '../../lib/load.js';
import { location, setQuery } from '../../lib/router.js';

const TYPING_MS = 250;
const RELOAD_MS = 5000;

/** What the list is narrowed to. */
export function FileFilters() {
  const { data, reload } = useApi<Filters>('/api/files/filters');
  useReloadOnChange(reload, { everyMs: RELOAD_MS });
  const { query } = location.value;
  const states = [
    ...Object.entries(STATES).map(([value, { title }]) => ({ value, title })),
    { value: 'failed,load_failed', title: 'Failed in any way' },
  ];
  const times = Object.entries(TIMES).map(([value, { title }]) => ({ value, title }));
  return (
    <search class="filters">
      <NameSearch />
      <Choice label="State" name="state" all="Every state" options={states} />
      <Choice
        label="Dataset"
        name="dataset"
        all="Every dataset"
        options={(data?.datasets ?? []).map((value) => ({ value, title: value }))}
      />
      <Choice
        label="Reason"
        name="code"
        all="Every reason"
        options={(data?.codes ?? []).map((value) => ({ value, title: codeTitle(value) }))}
      />
      <Choice label="Time" name="time" all="Any time" options={times} />
      {query.get('time') === 'custom' && (
        <>
          <Day label="From" name="from" />
          <Day label="To" name="to" />
        </>
      )}
      {isNarrowed(query) && (
        <a class="button quiet" href="/">
          Clear
        </a>
      )}
    </search>
  );
}

function narrow(changes: Partial<Record<QueryKey, string>>): void {
  setQuery({ ...changes, page: undefined }, { replace: true });
}

/** Waits for a pause in the typing. */
function NameSearch() {
  const inAddress = location.value.query.get('name') ?? '';
  const [text, setText] = useState(inAddress);
  useEffect(() => setText(inAddress), [inAddress]);
  useEffect(() => {
    if (text === inAddress) return;
    const timer = setTimeout(() => narrow({ name: text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="field name-search">
      Name
      <input
        class="input"
        type="search"
        maxLength={255}
        placeholder="Part of a name"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
    </label>
  );
}

interface ChoiceProps {
  label: string;
  name: QueryKey;
  /** The choice that narrows nothing. */
  all: string;
  options: { value: string; title: string }[];
}

function Choice({ label, name, all, options }: ChoiceProps) {
  const value = location.value.query.get(name) ?? '';
  // What the address says is shown also before the server has listed it.
  const isListed = value === '' || options.some((option) => option.value === value);
  return (
    <label class="field">
      {label}
      <select
        class="input"
        value={value}
        onChange={({ currentTarget }) => narrow({ [name]: currentTarget.value })}
      >
        <option value="">{all}</option>
        {!isListed && <option value={value}>{value}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.title}
          </option>
        ))}
      </select>
    </label>
  );
}

function Day({ label, name }: { label: string; name: 'from' | 'to' }) {
  return (
    <label class="field">
      {label}
      <input
        class="input"
        type="date"
        value={location.value.query.get(name) ?? ''}
        onChange={({ currentTarget }) => narrow({ [name]: currentTarget.value })}
      />
    </label>
  );
}
