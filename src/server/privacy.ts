import { RESCUED } from '../config/datasets.js';
import type { Dataset, Settings } from '../config/settings.js';
import { RequestProblem } from './problem.js';
import { may, type User } from './user.js';

/** Stands where a private value was. */
export const HIDDEN = '(hidden)';

const NONE: ReadonlySet<string> = new Set();

/**
 * The columns of a dataset, which are also those of its table, whose values a user must not see: `private: true` in
 * schema.yaml, for roles below admin. Names of columns are no secret.
 */
export function hiddenColumns(
  settings: Pick<Settings, 'datasets'>,
  { dataset, user }: { dataset: string; user: User },
): ReadonlySet<string> {
  return may(user, 'admin') ? NONE : privateColumns(settings.datasets.find(({ name }) => name === dataset));
}

/**
 * Whether a user may have whole lines and files of a dataset: source lines, rejected rows, originals, Parquet. A line
 * shows all of its columns, also where it was split in the wrong places, so one private column hides it. A file whose
 * dataset is not known (no pattern claimed it, or the dataset was taken out of schema.yaml) may be of any dataset.
 */
export function maySeeLines(
  settings: Pick<Settings, 'datasets'>,
  { dataset, user }: { dataset: string | undefined; user: User },
): boolean {
  if (may(user, 'admin')) return true;
  const known = settings.datasets.find(({ name }) => name === dataset);
  return known ? privateColumns(known).size === 0 : !hasPrivateColumns(settings);
}

/** @throws RequestProblem 403 where {@link maySeeLines} says no */
export function refuseHiddenLines(
  settings: Pick<Settings, 'datasets'>,
  asked: { dataset: string | undefined; user: User },
): void {
  if (maySeeLines(settings, asked)) return;
  throw new RequestProblem(
    403,
    'This file has private columns, which only the role admin may see',
    'The counts, the columns and the reasons are shown without the values.',
  );
}

/**
 * Whether a user may run statements of anybody's choice, named queries included. No look at a statement proves which
 * columns it reads (views, functions, whole rows, the statistics of the database), so that one private column anywhere
 * leaves SQL to admins.
 */
export function maySeeSql(settings: Pick<Settings, 'datasets'>, user: User): boolean {
  return may(user, 'admin') || !hasPrivateColumns(settings);
}

/** @throws RequestProblem 403 where {@link maySeeSql} says no */
export function refuseHiddenSql(settings: Pick<Settings, 'datasets'>, user: User): void {
  if (maySeeSql(settings, user)) return;
  const named = settings.datasets
    .filter((dataset) => privateColumns(dataset).size > 0)
    .map(({ name }) => name)
    .join(', ');
  throw new RequestProblem(
    403,
    `There are private columns (in ${named}), which a statement could read, so that only the role admin may run SQL`,
    'The data page shows the other columns.',
  );
}

function hasPrivateColumns({ datasets }: Pick<Settings, 'datasets'>): boolean {
  return datasets.some((dataset) => privateColumns(dataset).size > 0);
}

function privateColumns(dataset: Dataset | undefined): ReadonlySet<string> {
  if (!dataset || dataset.columns === 'any') return NONE;
  const names = dataset.columns.filter((column) => column.private).map(({ name }) => name);
  // Surplus cells may be of any column: of one whose name was mistyped, or of a row that slipped.
  return names.length === 0 ? NONE : new Set([...names, RESCUED]);
}
