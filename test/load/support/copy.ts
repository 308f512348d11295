/** A row of values in their text form. */
export type TextRow = (string | null)[];

const MARKS: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\\0' };

/** Rows as one chunk of COPY text, by the rules of the Postgres manual; independent of the code under test. */
export function copyOf(rows: TextRow[]): Buffer {
  const lines = rows.map((row) => row.map((value) => (value === null ? '\\N' : escaped(value))).join('\t'));
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

/** Rows as the stream that engines take. */
export async function* copyStream(...chunks: TextRow[][]): AsyncGenerator<Uint8Array> {
  for (const rows of chunks) yield copyOf(rows);
}

/** The bytes of pieces, as engines take them. */
export async function* bytesOf(pieces: AsyncIterable<{ bytes: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of pieces) if (bytes.length > 0) yield bytes;
}

/** All of a stream of COPY text. */
export async function copyTextIn(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function escaped(value: string): string {
  return value.replace(/[\\\t\n\r\0]/g, (char) => MARKS[char]);
}
