/*
 * Whether two sets of Parquet files hold the same cells, found out by DuckDB. Files are compared by name and row number;
 * partitioned output has neither in order, so there each file's rows are compared as a multiset. Files of ours end with
 * the round that they come from.
 */

const SOURCE = "regexp_replace(parse_filename(filename, true), '-r\\d+$', '') AS source";

/**
 * @param {import('./peer.mjs').Peer} duckdb
 * @param {{ ours: string, theirs: string, dataset: import('./datasets.mjs').Dataset, partitioned?: boolean, isOneFile?: boolean }} sides globs
 * @returns {Promise<number>} the number of rows
 */
export async function verifyEqual(duckdb, sides) {
  const counts = await ask(duckdb, countQuery(sides));
  if (counts.ours !== counts.theirs)
    throw new Error(`${counts.ours} rows of ours, ${counts.theirs} of theirs`);
  const { different } = await ask(duckdb, queryFor(sides));
  if (Number(different) > 0)
    throw new Error(`${different} rows differ between ${sides.ours} and ${sides.theirs}`);
  return Number(counts.ours);
}

async function ask(duckdb, query) {
  const { result } = await duckdb.run('rowsOf', { query });
  return result[0];
}

function countQuery({ ours, theirs }) {
  return `SELECT (SELECT count(*) FROM '${ours}') AS ours, (SELECT count(*) FROM '${theirs}') AS theirs`;
}

function queryFor(sides) {
  if (sides.partitioned) return multisetQuery(sides);
  return sides.isOneFile ? sideBySideQuery(sides) : rowByRowQuery(sides);
}

function sideBySideQuery({ ours, theirs, dataset }) {
  return `SELECT count(*) AS different FROM '${ours}' a POSITIONAL JOIN '${theirs}' b WHERE NOT (${sameCells(dataset)})`;
}

function rowByRowQuery({ ours, theirs, dataset }) {
  const side = (glob) =>
    `(SELECT *, ${SOURCE} FROM read_parquet('${glob}', filename = true, file_row_number = true))`;
  return `SELECT count(*) AS different FROM ${side(ours)} a
    FULL JOIN ${side(theirs)} b ON a.source = b.source AND a.file_row_number = b.file_row_number
    WHERE a.source IS NULL OR b.source IS NULL OR NOT (${sameCells(dataset)})`;
}

function sameCells({ columns }) {
  return columns.map(({ name }) => `a."${name}" IS NOT DISTINCT FROM b."${name}"`).join(' AND ');
}

function multisetQuery({ ours, theirs, dataset }) {
  const columns = dataset.columns.map(({ name }) => `"${name}"`).join(', ');
  const left = `SELECT ${SOURCE}, ${columns} FROM read_parquet('${ours}', filename = true)`;
  const right = `SELECT source, ${columns} FROM read_parquet('${theirs}', hive_partitioning = true)`;
  return `SELECT (SELECT count(*) FROM (${left} EXCEPT ALL ${right}))
    + (SELECT count(*) FROM (${right} EXCEPT ALL ${left})) AS different`;
}
