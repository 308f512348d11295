import { useMemo } from 'preact/hooks';
import type {
  Aggregate,
  ChartAnswer,
  ChartFilter,
  ChartSpec,
  Table,
  TableColumn,
  Tables,
} from '../../../../src/server/api/data.js';
import {
  AGGREGATE_LABELS,
  CHART_CHOICES,
  chartPath,
  choicesOf,
  specOf,
  titleOf,
} from '../../lib/chart-query.js';
import { useApi } from '../../lib/load.js';
import { go, location, setQuery } from '../../lib/router.js';
import { ChartOfTable } from '../../parts/chart-panel.js';
import { DraftInput } from '../../parts/draft-input.js';
import { Empty, ProblemNotice } from '../../parts/notice.js';
import { FilterList } from './filter-list.js';

/** Makes a chart of a table; the whole choice is in the address. */
export function ChartBuilder({ name }: { name: string }) {
  const { data, problem } = useApi<Tables>('/api/tables');
  const table = data?.tables.find((candidate) => candidate.name === name);
  return (
    <>
      <p class="crumbs">
        <a href="/data">Data</a> / <a href={`/data/${encodeURIComponent(name)}`}>{name}</a>
      </p>
      {problem && <ProblemNotice problem={problem} />}
      {data && !table && (
        <Empty title="There is no such table">
          <a href="/data">All tables</a>
        </Empty>
      )}
      {table && data && <Builder table={table} tables={data.tables} />}
    </>
  );
}

function Builder({ table, tables }: { table: Table; tables: Table[] }) {
  const { query } = location.value;
  const spec = useMemo(() => specOf(table, query), [table, query]);
  const { data, problem, isLoading } = useApi<ChartAnswer>(chartPath(spec));
  const titles = useMemo(() => ({ title: titleOf(spec) }), [spec]);
  return (
    <>
      <h1>Chart of {table.name}</h1>
      <div class="builder">
        <form class="card stack" aria-label="Chart" onSubmit={(event) => event.preventDefault()}>
          <Controls table={table} tables={tables} spec={spec} />
        </form>
        <section class="card stack builder-preview" aria-busy={isLoading}>
          <h2 aria-live="polite">{titles.title}</h2>
          {problem ? (
            <ProblemNotice problem={problem} />
          ) : (
            data && data.kind === spec.kind && <ChartOfTable answer={data} titles={titles} heightPx={440} />
          )}
        </section>
      </div>
    </>
  );
}

interface ControlsProps {
  table: Table;
  tables: Table[];
  spec: ChartSpec;
}

/** A choice changes the address; steps of one chart are not steps to go back to. */
function choose(changes: Record<string, string | undefined>): void {
  setQuery(changes, { replace: true });
}

function Controls({ table, tables, spec }: ControlsProps) {
  const { kind } = spec;
  const choices = choicesOf(table, kind);
  return (
    <>
      {tables.length > 1 && (
        <Choice
          label="Table"
          value={table.name}
          options={tables.map(({ name }) => [name, name])}
          onChoose={(name) => go(`/data/${encodeURIComponent(name)}/chart`)}
        />
      )}
      <fieldset class="segments">
        <legend>Kind</legend>
        {CHART_CHOICES.map((choice) => (
          <label key={choice.kind}>
            <input
              type="radio"
              name="kind"
              checked={choice.kind === kind}
              onChange={() => choose({ kind: choice.kind })}
            />
            <span>{choice.label}</span>
          </label>
        ))}
      </fieldset>
      <Choice
        label={kind === 'heat' ? 'Across' : kind === 'box' ? 'Boxes by' : 'X axis'}
        value={spec.x ?? ''}
        options={[...(kind === 'box' ? [NONE] : []), ...choices.x.map(option)]}
        onChoose={(x) => choose({ x })}
      />
      {(kind === 'scatter' || kind === 'heat' || kind === 'box') && (
        <Choice
          label={kind === 'heat' ? 'Upwards' : 'Y axis'}
          value={spec.y ?? ''}
          options={choices.y.map(option)}
          onChoose={(y) => choose({ y })}
        />
      )}
      {(kind === 'bar' || kind === 'line') && <Measure spec={spec} table={table} at="y" />}
      {kind === 'heat' ? (
        <Measure spec={spec} table={table} at="colour" />
      ) : (
        <Choice
          label="Colour by"
          value={spec.colour ?? ''}
          options={[NONE, ...choices.colour.map(option)]}
          onChoose={(colour) => choose({ colour })}
        />
      )}
      <Sizes spec={spec} table={table} />
      <FilterList
        columns={choices.all}
        filters={spec.filters ?? []}
        onChange={(filters: ChartFilter[]) =>
          choose({ filters: filters.length > 0 ? JSON.stringify(filters) : undefined })
        }
      />
    </>
  );
}

const NONE: [string, string] = ['', '(none)'];

function option({ name, type }: TableColumn): [string, string] {
  return [name, `${name} · ${type.toLowerCase()}`];
}

/** Rows, or a figure of a column. */
function Measure({ spec, table, at }: { spec: ChartSpec; table: Table; at: 'y' | 'colour' }) {
  const column = spec[at];
  const { all, measured } = choicesOf(table, spec.kind);
  const aggregate = column === undefined ? '' : (spec.aggregate ?? 'avg');
  const isAny = aggregate === 'count' || aggregate === 'distinct';
  const chooseAggregate = (value: string) => {
    if (value === '') choose({ aggregate: undefined, [at]: undefined });
    else choose({ aggregate: value, [at]: column ?? measured.at(-1)?.name ?? all[0]?.name });
  };
  const labels = Object.entries(AGGREGATE_LABELS) as [Aggregate, string][];
  return (
    <>
      <Choice
        label="Show"
        value={aggregate}
        options={[
          ['', 'Number of rows'],
          ...labels.map(([key, label]): [string, string] => [key, `${label} …`]),
        ]}
        onChoose={chooseAggregate}
      />
      {column !== undefined && (
        <Choice
          label="of column"
          value={column}
          options={(isAny ? all : measured).map(option)}
          onChoose={(name) => choose({ [at]: name })}
        />
      )}
    </>
  );
}

const UNITS: [string, string][] = [
  ['', 'automatic'],
  ...['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute'].map((unit): [string, string] => [
    unit,
    unit,
  ]),
];

/** How finely numbers and times are divided. */
function Sizes({ spec, table }: { spec: ChartSpec; table: Table }) {
  if (spec.kind === 'scatter') return null;
  const axes = table.columns.filter(
    ({ name }) => name === spec.x || (spec.kind === 'heat' && name === spec.y),
  );
  const hasTime = axes.some((column) => column.class === 'time');
  const hasNumber = axes.some((column) => column.class === 'number');
  return (
    <>
      {hasTime && (
        <Choice
          label="Put together by"
          value={spec.unit ?? ''}
          options={UNITS}
          onChoose={(unit) => choose({ unit })}
        />
      )}
      {hasNumber && (
        <div class="field">
          Number of bins
          <DraftInput
            label="Number of bins"
            number={{ min: 2, max: 200, placeholder: 'automatic' }}
            text={`${spec.bins ?? ''}`}
            onGiven={(bins) => choose({ bins })}
          />
        </div>
      )}
    </>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  /** Values and what stands for them. */
  options: [string, string][];
  onChoose(value: string): void;
}

function Choice({ label, value, options, onChoose }: ChoiceProps) {
  return (
    <label class="field">
      {label}
      <select class="input" value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
