import { DropgateError } from '../base/errors.js';
import type { ErrorClass } from './engine.js';

/**
 * SQLSTATEs after which the same statement can succeed later, from the Postgres manual, appendix A. Two characters stand
 * for a whole class.
 */
const TRANSIENT_SQLSTATES = new Set([
  '08', // connection exception
  '28', // invalid authorization: credentials may be mended
  '3D', // database does not exist: may be created, or the setting mended
  '40', // transaction rollback: serialization failure, deadlock
  '53', // insufficient resources: disk full, out of memory, too many connections
  '57', // operator intervention: shutdown, starting up, cancelled
  '58', // system error outside Postgres: I/O error
  '25006', // read-only transaction: the server is a standby during a failover
  '25P03', // idle in transaction timeout
  '55006', // object in use
  '55P03', // lock not available
  '72000', // snapshot too old
  'F0000', // configuration file error
  'F0001', // lock file exists
]);

/** Error numbers of MySQL and MariaDB after which the same statement can succeed later. */
const TRANSIENT_MYSQL_ERRORS = new Set([
  3, // error writing file (disk full)
  1020, // record has changed since last read
  1021, // disk full
  1030, // error from storage engine (disk full)
  1037, // out of memory
  1038, // out of sort memory
  1040, // too many connections
  1041, // out of resources
  1042, // bad host
  1043, // bad handshake
  1044, // access to the database denied
  1045, // access denied: credentials may be mended
  1047, // Galera node not ready
  1049, // unknown database
  1053, // shutdown in progress
  1077, // normal shutdown
  1079, // shutdown complete
  1080, // forcing close
  1114, // table is full: the disk is
  1129, // host is blocked
  1130, // host not allowed
  1152, // aborting connection
  1158, // network read error
  1159, // network read timeout
  1160, // network write error
  1161, // network write timeout
  1184, // aborting connection
  1203, // too many connections of this user
  1205, // lock wait timeout
  1206, // lock table full
  1213, // deadlock
  1226, // resource limit of this user
  1290, // server runs read-only
  1317, // query interrupted
  1412, // table definition changed, retry transaction
  1615, // prepared statement needs to be re-prepared
  1637, // too many concurrent transactions
  1698, // access denied, no password
  1820, // password must be changed
  1836, // read-only mode
  1862, // password expired
  1927, // connection was killed
  1969, // max_statement_time exceeded
  3024, // max_execution_time exceeded
  3118, // account locked
  3168, // server not available
  3169, // session was killed
  4031, // disconnected because of inactivity
  4151, // account locked (MariaDB)
]);

/** Codes of Node, of its sockets, and of mysql2. */
const TRANSIENT_CODES = new Set([
  'EADDRNOTAVAIL',
  'EAGAIN',
  'EAI_AGAIN',
  'EBUSY',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EDQUOT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EIO',
  'EMFILE',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'ENOSPC',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_PACKETS_OUT_OF_ORDER',
]);

/** SQLSTATEs, and numbers of MySQL, of a statement that lost against another session: deadlock, lock, cancelled. */
const CONTENTION = new Set<unknown>([
  ...['40001', '40P01', '55P03', '55006', '57014', '25P03'],
  ...[1205, 1206, 1213, 1317, 1412, 1615, 1969, 3024],
]);

const MAX_CAUSES = 10;

/**
 * Whether what went wrong can pass by itself (the database is away, busy, full or locked), or belongs to the file or
 * the statement. Unknown errors are permanent: a file that fails for an unknown reason must not be tried for ever.
 */
export function classifyError(error: unknown): ErrorClass {
  return isTransient(error, MAX_CAUSES) ? 'transient' : 'permanent';
}

/** Is the database there, and only what the statement wanted in the hands of another session? */
export function isContention(error: unknown): boolean {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  return CONTENTION.has(code) || CONTENTION.has(errno);
}

function isTransient(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth === 0) return false;
  if (error instanceof DropgateError) return error.code === 'database_unreachable';
  return isTransientCode(error) || isTransient((error as { cause?: unknown }).cause, depth - 1);
}

function isTransientCode(error: {
  code?: unknown;
  errno?: unknown;
  syscall?: unknown;
  sqlState?: unknown;
}): boolean {
  const { code, errno, syscall, sqlState } = error;
  // mysql2 gives a number of the server; Node gives negative numbers.
  if (typeof errno === 'number' && errno > 0 && sqlState !== undefined)
    return TRANSIENT_MYSQL_ERRORS.has(errno);
  if (syscall === 'connect') return true;
  if (typeof code !== 'string') return false;
  if (TRANSIENT_CODES.has(code)) return true;
  return TRANSIENT_SQLSTATES.has(code) || (isSqlState(code) && TRANSIENT_SQLSTATES.has(code.slice(0, 2)));
}

/** Whether an error code is one of a server that follows the SQL standard: five digits and capitals. */
export function isSqlState(code: string): boolean {
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(code);
}
