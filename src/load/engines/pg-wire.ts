/** Code of protocol version 3.0. */
const PROTOCOL_3 = 196_608;

const QUERY = 'Q'.charCodeAt(0);
const PARSE = 'P'.charCodeAt(0);

/** The first message of a client. Spec of all messages here: Postgres manual, "Message Formats". */
export function startupMessage(parameters: Record<string, string>): Uint8Array {
  const pairs = Object.entries(parameters).flat();
  const version = Buffer.alloc(4);
  version.writeInt32BE(PROTOCOL_3);
  return framed('', Buffer.concat([version, Buffer.from(`${pairs.map((text) => `${text}\0`).join('')}\0`)]));
}

/** An error as the server sends it. */
export function errorResponse(error: { severity: string; code: string; message: string }): Uint8Array {
  return framed(
    'E',
    Buffer.from(`S${error.severity}\0V${error.severity}\0C${error.code}\0M${error.message}\0\0`),
  );
}

/**
 * The message itself, or the same kind of message with a statement that fails, when it asks for COPY FROM STDIN.
 * PGlite would find its input at an end in the middle of COPY, and exit.
 */
export function withoutCopyIn(message: Uint8Array): Uint8Array {
  if (message[0] !== QUERY && message[0] !== PARSE) return message;
  const [first, second] = Buffer.from(message.buffer, message.byteOffset + 5, message.length - 5)
    .toString()
    .split('\0');
  const isQuery = message[0] === QUERY;
  if (!isCopyIn(isQuery ? first : second)) return message;
  return isQuery
    ? framed('Q', Buffer.from(`${COPY_IN_REFUSAL}\0`))
    : framed('P', Buffer.from(`${first}\0${COPY_IN_REFUSAL}\0\0\0`));
}

const COPY_IN_REFUSAL = `DO $$BEGIN RAISE EXCEPTION 'COPY FROM STDIN is not available on the embedded database'
  USING ERRCODE = 'feature_not_supported', HINT = 'Use INSERT, or drop a file for Dropgate.'; END$$`;

function isCopyIn(sql: string): boolean {
  const bare = sql.replace(/'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g, ' ');
  return /\bcopy\b[\s\S]*\bfrom\s+stdin\b/i.test(bare);
}

function framed(type: string, body: Buffer): Uint8Array {
  const message = Buffer.alloc(type.length + 4 + body.length);
  message.write(type, 'latin1');
  message.writeInt32BE(4 + body.length, type.length);
  body.copy(message, type.length + 4);
  return Uint8Array.from(message);
}
