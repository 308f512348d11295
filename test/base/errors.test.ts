import { describe, expect, it } from 'vitest';
import { DropgateError, errnoOf, messageOf, REASONS } from '../../src/base/errors.js';

describe('DropgateError', () => {
  it('carries code, message and the hint of the table', () => {
    const error = new DropgateError('empty_file', 'the file has 0 bytes');
    expect(error).toMatchObject({
      name: 'DropgateError',
      code: 'empty_file',
      message: 'the file has 0 bytes',
      hint: REASONS.empty_file.hint,
    });
    expect('cause' in error).toBe(false);
  });

  it('takes a better hint and the cause', () => {
    const cause = new Error('deeper');
    const error = new DropgateError('unreadable', 'm', { hint: 'h', cause });
    expect([error.hint, error.cause]).toEqual(['h', cause]);
  });
});

describe('the table of reasons', () => {
  it.each(Object.entries(REASONS))(
    '%s is spelled and explained like the others',
    (code, { meaning, hint }) => {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      for (const sentence of [meaning, hint]) expect(sentence).toMatch(/^[A-Z].*\.$/s);
    },
  );
});

describe('any thrown thing', () => {
  it('gives a message and an errno', () => {
    expect(messageOf(new Error('text'))).toBe('text');
    expect(messageOf('text')).toBe('text');
    expect(messageOf(undefined)).toBe('undefined');
    expect(errnoOf(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toBe('ENOSPC');
    for (const thrown of [new Error('x'), null, undefined, 'ENOSPC', { code: 28 }]) {
      expect(errnoOf(thrown)).toBeUndefined();
    }
  });
});
