/** The text of an unscaled decimal: 12345 with scale 2 is `123.45`. Bytes are big-endian two's complement. */
export function unscaledText(unscaled: number | bigint | Uint8Array, scale: number): string {
  const digits = (unscaled instanceof Uint8Array ? bigEndian(unscaled) : BigInt(unscaled)).toString();
  if (scale <= 0) return digits === '0' ? digits : digits + '0'.repeat(-scale);
  const negative = digits.startsWith('-');
  const padded = digits.slice(negative ? 1 : 0).padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** The shortest text that reads back as the same 32-bit float: `0.1`, not `0.10000000149011612`. */
export function shortestFloat(value: number): string {
  for (let digits = 6; digits <= 8; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

/** A number that JavaScript wrote, without its exponent: `1.5e-7` is `0.00000015`. NaN and Infinity stay. */
export function plainNumber(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign, whole, fraction = '', exponent] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function bigEndian(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}
