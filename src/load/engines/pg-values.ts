import type { SqlValue } from '../engine.js';

type Parser = (text: string) => SqlValue;

/** Parsers by type OID, from pg_type.dat. Types that are not listed stay in the database's own notation. */
const PARSERS: Record<number, Parser> = {
  16: (text) => text === 't',
  17: bytea,
  20: integer,
  21: Number,
  23: Number,
  26: Number,
  700: Number,
  701: Number,
};

/** How a value of type `oid`, in text form, becomes a JavaScript value. */
export function pgParser(oid: number): Parser {
  return PARSERS[oid] ?? ((text) => text);
}

/** A number while that is exact, else a bigint. */
export function integer(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function bytea(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.slice(2), 'hex'));
}
