/**
 * The two kinds of input. A data set knows its columns with their SQL types, writes rows as CSV text, and says how its
 * files are delimited; the peers get the same columns and types.
 *
 * @typedef {object} Dataset
 * @property {string} name also the name of the table
 * @property {string} delimiter
 * @property {{ name: string, type: string }[]} columns
 * @property {(random: import("./random.mjs").Random) => string} row one row with its line end
 */

/** Distributions like those of the UCI "Student Performance" file: values as often as they are repeated. */
const STUDENT_VALUES = {
  school: ['"GP"', '"GP"', '"GP"', '"GP"', '"GP"', '"MS"'],
  sex: ['"F"', '"M"'],
  age: ['15', '16', '16', '17', '17', '18', '18', '19', '20', '21', '22'],
  address: ['"U"', '"U"', '"U"', '"R"'],
  famsize: ['"GT3"', '"GT3"', '"LE3"'],
  pstatus: ['"T"', '"T"', '"T"', '"T"', '"T"', '"A"'],
  medu: ['0', '1', '1', '2', '2', '3', '3', '4', '4', '4'],
  fedu: ['0', '1', '1', '2', '2', '2', '3', '3', '4', '4'],
  mjob: ['"other"', '"other"', '"services"', '"at_home"', '"teacher"', '"health"'],
  fjob: ['"other"', '"other"', '"other"', '"services"', '"teacher"', '"at_home"', '"health"'],
  reason: ['"course"', '"home"', '"reputation"', '"other"'],
  guardian: ['"mother"', '"mother"', '"father"', '"other"'],
  traveltime: ['1', '1', '1', '2', '2', '3', '4'],
  studytime: ['1', '2', '2', '3', '4'],
  failures: ['0', '0', '0', '0', '1', '2', '3'],
  schoolsup: ['"no"', '"no"', '"no"', '"yes"'],
  famsup: ['"yes"', '"no"'],
  paid: ['"no"', '"yes"'],
  activities: ['"yes"', '"no"'],
  nursery: ['"yes"', '"yes"', '"yes"', '"no"'],
  higher: ['"yes"', '"yes"', '"yes"', '"no"'],
  internet: ['"yes"', '"yes"', '"yes"', '"no"'],
  romantic: ['"no"', '"no"', '"yes"'],
  famrel: ['1', '2', '3', '4', '4', '5'],
  freetime: ['1', '2', '3', '3', '4', '5'],
  goout: ['1', '2', '3', '3', '4', '5'],
  dalc: ['1', '1', '1', '2', '3', '4', '5'],
  walc: ['1', '1', '2', '3', '4', '5'],
  health: ['1', '2', '3', '4', '5', '5'],
  absences: ['0', '0', '2', '4', '6', '8', '10', '1', '3', '5', '14', '16', '22', '38', '75'],
  g1: Array.from({ length: 17 }, (_, grade) => `"${grade + 3}"`),
  g2: Array.from({ length: 20 }, (_, grade) => `"${grade}"`),
  g3: Array.from({ length: 21 }, (_, grade) => `${grade}`),
};

const TEXT_LENGTHS = { school: 10, famsize: 3, mjob: 20, fjob: 20, reason: 20, guardian: 10 };
const YES_NO = ['schoolsup', 'famsup', 'paid', 'activities', 'nursery', 'higher', 'internet', 'romantic'];

function studentType(name) {
  if (YES_NO.includes(name)) return 'VARCHAR(3)';
  if (name in TEXT_LENGTHS) return `VARCHAR(${TEXT_LENGTHS[name]})`;
  return ['sex', 'address', 'pstatus'].includes(name) ? 'VARCHAR(1)' : 'INTEGER';
}

const studentChoices = Object.values(STUDENT_VALUES);
/** Cells that cleaning has to mend, and rows that it has to leave out: this seldom, in rows. */
const ROWS_A_MENDED_CELL = 150;
const ROWS_A_MISSING_CELL = 8000;
const MISSING = ['""', 'NA', '"n/a"', 'null'];

/** @type {Dataset} 33 columns of few distinct values each, semicolons, texts quoted, as in the real student file. */
export const students = {
  name: 'student_data',
  delimiter: ';',
  columns: Object.keys(STUDENT_VALUES).map((name) => ({ name, type: studentType(name) })),
  row(random) {
    const cells = studentChoices.map((choices) => choices[random.below(choices.length)]);
    if (random.oneIn(ROWS_A_MENDED_CELL)) {
      const column = random.below(cells.length);
      const text = cells[column].replaceAll('"', '');
      cells[column] = random.oneIn(2) ? `"  ${text} "` : `"${text.toUpperCase()}"`;
    }
    if (random.oneIn(ROWS_A_MISSING_CELL)) {
      cells[random.below(cells.length)] = MISSING[random.below(MISSING.length)];
    }
    return `${cells.join(';')}\n`;
  },
};

const WORDS =
  `Lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna
  aliqua Order shipped late Customer called Refund of invoice number in warehouse North West damaged box replaced`.split(
    /\s+/,
  );
const STATUSES = ['New', 'Open', 'Paid', 'Shipped', 'Returned', 'Closed'];
const YEAR_2020_MS = Date.UTC(2020, 0, 1);
const SIX_YEARS_S = 6 * 365 * 86_400;

/** @type {Dataset} Columns whose values hardly ever repeat, beside two of which they do. */
export const orders = {
  name: 'orders',
  delimiter: ',',
  columns: [
    { name: 'id', type: 'UUID' },
    { name: 'ordered_at', type: 'TIMESTAMP' },
    { name: 'customer', type: 'BIGINT' },
    { name: 'amount', type: 'DECIMAL(12,2)' },
    { name: 'weight', type: 'DOUBLE' },
    { name: 'status', type: 'VARCHAR(10)' },
    { name: 'quantity', type: 'INTEGER' },
    { name: 'note', type: 'TEXT' },
  ],
  row(random) {
    const cells = [
      uuid(random),
      timestamp(random),
      String(random.below(2 ** 32) * 100 + random.below(100)),
      `${random.below(100_000_000)}.${String(random.below(100)).padStart(2, '0')}`,
      `${random.below(500)}.${random.below(10_000)}`,
      STATUSES[random.below(STATUSES.length)],
      String(1 + random.below(20)),
      note(random),
    ];
    if (random.oneIn(ROWS_A_MISSING_CELL)) cells[random.below(cells.length)] = 'NA';
    return `${cells.join(',')}\n`;
  },
};

function uuid(random) {
  const digits = Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('');
  return [0, 8, 12, 16, 20].map((from, i) => digits.slice(from, [8, 12, 16, 20, 32][i])).join('-');
}

function timestamp(random) {
  const time = new Date(YEAR_2020_MS + random.below(SIX_YEARS_S) * 1000 + random.below(1000));
  return time.toISOString().replace('T', ' ').slice(0, 23);
}

/** Three to twelve words; sometimes quoted, with a delimiter, a doubled quote or a line break, sometimes not ASCII. */
function note(random) {
  const words = Array.from({ length: 3 + random.below(10) }, () => WORDS[random.below(WORDS.length)]);
  const text = words.join(' ');
  switch (random.below(40)) {
    case 0:
      return `"${text}, see ""notes"""`;
    case 1:
      return `"${text}\n${WORDS[random.below(WORDS.length)]}"`;
    case 2:
      return `${text} – Café Ährengold`;
    default:
      return text;
  }
}

/** The header line of a data set. */
export function headerOf({ columns, delimiter }) {
  return `${columns.map(({ name }) => name).join(delimiter)}\n`;
}
