import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Random } from './random.js';

/** A file as it is dropped, and what must become of each of its rows. */
export interface Delivery {
  name: string;
  content: Buffer;
  sha256: string;
  /** Undefined: the file fails as a whole. */
  dataset: 'events' | 'strict' | undefined;
  /** Values of `id` of the rows that belong in the table. */
  good: number[];
  /** Records that belong in the rejects file, as they stand in the source. */
  rejected: string[];
  /** How often the file was dropped; more than once means that the program must recognise it. */
  times: number;
}

/** What the deliveries are held against. `id` is unique over all rows of a run, so that every row can be followed. */
export const FAULT_SCHEMA = `
events:
  files: "events*"
  columns:
    id: BIGINT
    kind: { type: VARCHAR(10), enum: [click, view, buy] }
    amount: DECIMAL(12,2)
    at: TIMESTAMP
    note: { type: TEXT, nullable: true, case: keep }
  duplicates: drop
  invalid: set_aside
  ragged: set_aside
  max_set_aside: 60%
strict:
  files: "strict*"
  columns:
    id: BIGINT
    name: { type: VARCHAR(20), case: keep }
`;

const KINDS = ['click', 'view', 'buy'];
const NOTES = [
  '',
  'plain',
  'with ""quotes""',
  'two\nlines',
  'semi;colon, comma',
  'ümläut ✓',
  "o'clock",
  '\\N \\t',
];
const HEADER = 'id,kind,amount,at,note';

/** Makes the mixed load of a run: good, failing, duplicate and set-aside rows and files, large ones and small ones. */
export class DeliveryMaker {
  readonly #random: Random;
  readonly #largeRows: number;
  #lastId = 0;
  #lastFile = 0;

  constructor(random: Random, { largeRows = 30_000 }: { largeRows?: number } = {}) {
    this.#random = random;
    this.#largeRows = largeRows;
  }

  /** A new file; `name` for another content under a name that was used before. */
  make(name?: string): Delivery {
    const random = this.#random;
    if (name !== undefined) return this.#bySchemaOf(name);
    this.#lastFile++;
    const number = String(this.#lastFile).padStart(4, '0');
    const roll = random.next();
    if (roll < 0.12) return this.#failing(number);
    if (roll < 0.27) return this.strict(`strict-${number}.csv`);
    if (roll < 0.33) return this.events(`events-${number}-large.csv`, this.#largeRows);
    const odd = random.pick(['', '', '', ' with space', "'quote", '$(x)', 'ü', '.v1', '-']);
    return this.events(`events-${number}${odd}.${random.pick(['csv', 'csv', 'txt', 'csv.gz'])}`);
  }

  #bySchemaOf(name: string): Delivery {
    return name.startsWith('strict') ? this.strict(name) : this.events(name);
  }

  /** A file of which some rows are set aside or dropped. */
  events(name: string, rows = this.#random.int(1, 60)): Delivery {
    const random = this.#random;
    const good: number[] = [];
    const rejected: string[] = [];
    const lines = [HEADER];
    const badShare = rows > 1000 ? 0.001 : random.pick([0, 0, 0.1, 0.2]);
    for (let i = 0; i < rows; i++) {
      const id = ++this.#lastId;
      const line = this.#goodLine(id);
      good.push(id);
      lines.push(line);
      if (!random.chance(badShare)) continue;
      const bad = this.#badLine(line);
      rejected.push(bad);
      lines.push(bad);
    }
    const text = Buffer.from(`${lines.join('\n')}\n`);
    return delivery({
      name,
      content: name.endsWith('.gz') ? gzipSync(text) : text,
      dataset: 'events',
      good,
      rejected,
    });
  }

  /** A file that passes or fails as a whole, and passes. */
  strict(name: string, rows = this.#random.int(1, 40)): Delivery {
    const good = Array.from({ length: rows }, () => ++this.#lastId);
    const lines = good.map((id) => `${id};name ${id}`);
    return delivery({
      name,
      content: Buffer.from(`id;name\n${lines.join('\n')}\n`),
      dataset: 'strict',
      good,
      rejected: [],
    });
  }

  #goodLine(id: number): string {
    const random = this.#random;
    const day = String(random.int(1, 28)).padStart(2, '0');
    const note = random.pick(NOTES);
    return `${id},${random.pick(KINDS)},${random.int(-9999, 9999)}.${random.int(10, 99)},2026-03-${day} 10:11:12,${note === '' ? '' : `"${note}"`}`;
  }

  #badLine(line: string): string {
    // A quoted line break would make two lines of the one that is compared.
    if (line.includes('\n')) return `${++this.#lastId},buy,1.00,2026-03-01,x,surplus`;
    const [id, kind, amount, at] = line.split(',');
    switch (this.#random.int(0, 3)) {
      case 0:
        return line;
      case 1:
        return `${++this.#lastId},,${amount},${at},missing`;
      case 2:
        return `${++this.#lastId},${kind},much,${at},wrong type`;
      default:
        return `${id},${kind}`;
    }
  }

  #failing(number: string): Delivery {
    const id = ++this.#lastId;
    const [name, text] = this.#random.pick([
      [`strict-${number}-type.csv`, `id;name\n${id};fine\nseven;bad\n`],
      [`strict-${number}-column.csv`, `id;name;more\n${id};a;b\n`],
      [`unclaimed-${number}.csv`, `id;name\n${id};a\n`],
      [`events-${number}-empty.csv`, ''],
      [`events-${number}-binary.csv`, `PK\u0003\u0004\0\0\0\0${id}\0\0`],
    ] as const);
    return delivery({ name, content: Buffer.from(text), dataset: undefined, good: [], rejected: [] });
  }
}

function delivery(made: Omit<Delivery, 'sha256' | 'times'>): Delivery {
  return { ...made, sha256: createHash('sha256').update(made.content).digest('hex'), times: 0 };
}
