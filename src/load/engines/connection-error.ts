import { DropgateError, messageOf } from '../../base/errors.js';

/** A connection could not be made: the server is away, or refuses who we are. */
export function connectFailed(address: string, error: unknown): DropgateError {
  if (error instanceof DropgateError) return error;
  return new DropgateError('database_unreachable', `Cannot connect to ${address}: ${reasonOf(error)}.`, {
    cause: error,
  });
}

/** A connection broke while it was in use. */
export function connectionLost(address: string, error: unknown): DropgateError {
  return new DropgateError(
    'database_unreachable',
    `The connection to ${address} was lost: ${reasonOf(error)}.`,
    {
      cause: error,
    },
  );
}

/** A name with several addresses gives one error an address, and an empty message of its own. */
function reasonOf(error: unknown): string {
  const text = error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
  return text.replace(/\.+$/, '') || (error as { code?: string }).code || 'no reason given';
}
