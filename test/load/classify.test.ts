import { describe, expect, test } from 'vitest';
import { DropgateError } from '../../src/base/errors.js';
import { classifyError } from '../../src/load/classify.js';

describe('classifyError', () => {
  const serverError = (code: string) => Object.assign(new Error('said the server'), { code });
  const mysqlError = (errno: number) =>
    Object.assign(new Error('said MySQL'), { code: 'ER_X', errno, sqlState: 'HY000' });
  const nodeError = (code: string, more = {}) =>
    Object.assign(new Error('said Node'), { code, errno: -1, ...more });

  test.each([
    ['deadlock', serverError('40P01')],
    ['too many connections', serverError('53300')],
    ['disk full', serverError('53100')],
    ['starting up', serverError('57P03')],
    ['standby', serverError('25006')],
    ['lock timeout', serverError('55P03')],
    ['bad password', serverError('28P01')],
    ['missing database', serverError('3D000')],
    ['deadlock of MySQL', mysqlError(1213)],
    ['lock wait timeout of MySQL', mysqlError(1205)],
    ['read-only MySQL', mysqlError(1290)],
    ['access denied of MySQL', mysqlError(1045)],
    ['refused connection', nodeError('ECONNREFUSED', { syscall: 'connect' })],
    ['missing socket', nodeError('ENOENT', { syscall: 'connect' })],
    ['reset connection', nodeError('ECONNRESET')],
    ['unknown host', nodeError('ENOTFOUND')],
    ['lost connection of MySQL', nodeError('PROTOCOL_CONNECTION_LOST')],
    ['too many open files', nodeError('EMFILE')],
    ['unreachable', new DropgateError('database_unreachable', 'away')],
    ['a cause that can pass', new Error('wrapped', { cause: serverError('40001') })],
  ])('%s can pass', (_, error) => expect(classifyError(error)).toBe('transient'));

  test.each([
    ['a value of the wrong type', serverError('22P02')],
    ['a duplicate key', serverError('23505')],
    ['an undefined table', serverError('42P01')],
    ['a missing privilege', serverError('42501')],
    ['a duplicate key of MySQL', mysqlError(1062)],
    ['a value too long for MySQL', mysqlError(1406)],
    ['a missing file', nodeError('ENOENT')],
    ['a refusal', new DropgateError('load_refused', 'no')],
    [
      'a refusal with a cause that could pass',
      new DropgateError('not_parquet', 'no', { cause: nodeError('EIO') }),
    ],
    ['a fault of the program', new TypeError('x is not a function')],
    ['not even an error', 'broken'],
    ['nothing', undefined],
  ])('%s cannot', (_, error) => expect(classifyError(error)).toBe('permanent'));

  test('a circle of causes ends', () => {
    const error = new Error('round');
    error.cause = error;
    expect(classifyError(error)).toBe('permanent');
  });
});
