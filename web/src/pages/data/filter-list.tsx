import type { ChartFilter, FilterOperator, TableColumn } from '../../../../src/server/api/data.js';
import { DraftInput } from '../../parts/draft-input.js';

const OPERATORS: Record<FilterOperator, string> = {
  eq: 'is',
  ne: 'is not',
  lt: 'below',
  le: 'at most',
  gt: 'above',
  ge: 'at least',
  in: 'is one of',
  contains: 'contains',
  is_null: 'is missing',
  not_null: 'is present',
};

const OF_CLASS: Record<TableColumn['class'], FilterOperator[]> = {
  number: ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'in', 'is_null', 'not_null'],
  time: ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'is_null', 'not_null'],
  text: ['eq', 'ne', 'in', 'contains', 'is_null', 'not_null'],
  boolean: ['eq', 'is_null', 'not_null'],
};

interface FilterListProps {
  columns: TableColumn[];
  filters: ChartFilter[];
  onChange(filters: ChartFilter[]): void;
}

/** Which rows are kept. A filter without its value keeps all until one is given. */
export function FilterList({ columns, filters, onChange }: FilterListProps) {
  const replace = (at: number, filter: ChartFilter) =>
    onChange(filters.map((old, index) => (index === at ? filter : old)));
  return (
    <fieldset class="filters stack">
      <legend>Filters</legend>
      {filters.map((filter, index) => (
        <FilterRow
          key={index}
          {...{ columns, filter, place: index + 1 }}
          onChange={(changed) => replace(index, changed)}
          onRemove={() => onChange(filters.filter((_, at) => at !== index))}
        />
      ))}
      <button
        type="button"
        class="button"
        disabled={columns.length === 0}
        onClick={() => onChange([...filters, { column: columns[0].name, op: 'not_null' }])}
      >
        Add a filter
      </button>
    </fieldset>
  );
}

interface FilterRowProps {
  columns: TableColumn[];
  filter: ChartFilter;
  place: number;
  onChange(filter: ChartFilter): void;
  onRemove(): void;
}

function FilterRow({ columns, filter, place, onChange, onRemove }: FilterRowProps) {
  const column = columns.find(({ name }) => name === filter.column);
  const operators = OF_CLASS[column?.class ?? 'text'];
  const wantsValue = filter.op !== 'is_null' && filter.op !== 'not_null';
  const text = [filter.value ?? ''].flat().join(', ');
  return (
    <div class="filter">
      <select
        class="input"
        aria-label={`Filter ${place}: column`}
        value={filter.column}
        onChange={(event) => onChange({ column: event.currentTarget.value, op: 'not_null' })}
      >
        {columns.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <select
        class="input"
        aria-label={`Filter ${place}: comparison`}
        value={filter.op}
        onChange={(event) =>
          onChange(withOperator({ filter, column }, event.currentTarget.value as FilterOperator))
        }
      >
        {operators.map((op) => (
          <option key={op} value={op}>
            {OPERATORS[op]}
          </option>
        ))}
      </select>
      {wantsValue && (
        <DraftInput
          key={`${filter.column} ${filter.op}`}
          label={`Filter ${place}: value${filter.op === 'in' ? 's, with commas between' : ''}`}
          text={text}
          onGiven={(given) => onChange({ ...filter, value: valueIn(filter.op, given) })}
        />
      )}
      <button type="button" class="button quiet" aria-label={`Remove filter ${place}`} onClick={onRemove}>
        ✕
      </button>
    </div>
  );
}

/** A comparison with a value begins with one that fits, so that the chart never meets half a filter. */
function withOperator(
  { filter, column }: { filter: ChartFilter; column: TableColumn | undefined },
  op: FilterOperator,
): ChartFilter {
  if (op === 'is_null' || op === 'not_null') return { column: filter.column, op };
  const old = [filter.value ?? []].flat();
  const first = old[0] ?? FIRST_VALUES[column?.class ?? 'text'];
  return { column: filter.column, op, value: op === 'in' ? (old.length > 0 ? old : [first]) : first };
}

const FIRST_VALUES: Record<TableColumn['class'], string> = {
  number: '0',
  boolean: 'true',
  text: '',
  time: '2000-01-01',
};

function valueIn(op: FilterOperator, text: string): string | string[] {
  return op === 'in' ? text.split(',').map((part) => part.trim()) : text;
}
