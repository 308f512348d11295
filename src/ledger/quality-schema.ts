const TABLES = `
  CREATE TABLE column_layouts (
    id INTEGER PRIMARY KEY,
    dataset TEXT NOT NULL,
    columns TEXT NOT NULL,
    UNIQUE (dataset, columns)
  );
  -- The id is that of the layout, times 2^40, plus that of the delivery: the files of a layout lie beside each other,
  -- and a file costs one insertion at the end.
  CREATE TABLE column_stats (
    id INTEGER PRIMARY KEY,
    numbers BLOB NOT NULL
  );
  CREATE TABLE quality_counts (
    hour TEXT NOT NULL,
    dataset TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    column_name TEXT NOT NULL,
    files INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    left_out INTEGER NOT NULL,
    PRIMARY KEY (hour, dataset, kind, code, column_name)
  ) WITHOUT ROWID;
  CREATE TABLE drift_findings (
    id INTEGER PRIMARY KEY,
    record_id INTEGER NOT NULL,
    dataset TEXT NOT NULL,
    column_name TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    median REAL NOT NULL,
    compared INTEGER NOT NULL,
    found_at TEXT NOT NULL
  );
  CREATE INDEX drift_findings_by_time ON drift_findings (found_at);
  CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    dataset TEXT,
    code TEXT,
    count INTEGER NOT NULL,
    message TEXT NOT NULL,
    files TEXT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    delivery TEXT NOT NULL,
    delivered_at TEXT
  );
  CREATE INDEX alerts_by_time ON alerts (last_at);
  CREATE INDEX alerts_to_deliver ON alerts (id) WHERE delivery = 'waiting';
  CREATE TABLE expectations (
    dataset TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    is_late INTEGER NOT NULL
  );
`;

const CONVERTED = "state IN ('converted', 'loaded', 'load_failed') AND convert_ms IS NOT NULL";
const HOUR_AND_DATASET = "substr(judged_at, 1, 13) AS hour, coalesce(dataset, '') AS dataset";

/** Counts the deliveries that an older program wrote down. */
const COUNT_KNOWN = `
  INSERT INTO quality_counts
    SELECT ${HOUR_AND_DATASET}, 'converted', '', '', count(*), sum(rows_out), sum(rows_in - rows_out)
    FROM files WHERE ${CONVERTED} GROUP BY 1, 2;
  INSERT INTO quality_counts
    SELECT ${HOUR_AND_DATASET}, state, coalesce(code, ''), '', count(*), 0, 0
    FROM files WHERE state IN ('failed', 'duplicate', 'load_failed') GROUP BY 1, 2, state, 4;
`;

/** Makes the tables of the QualityStore, in a ledger that may know deliveries already. */
export const ADD_QUALITY_TABLES = TABLES + COUNT_KNOWN;
