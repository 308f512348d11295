import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { substituteEnv } from '../../src/config/env.js';

const ref = (inside: string): string => `\${${inside}}`;

describe('references to the environment', () => {
  it.each([
    [ref('A'), 'value of a'],
    [`x-${ref('A')}-${ref('B:-none')}`, 'x-value of a-none'],
    [ref('EMPTY'), ''],
    [ref('EMPTY:-default'), 'default'],
    [ref('UNSET:-'), ''],
    [ref('UNSET:-a:-b'), 'a:-b'],
    [`$${ref('A')}`, ref('A')],
    [`$$${ref('A')}`, `$${ref('A')}`],
    ['$A and $$ and $', '$A and $$ and $'],
  ])('%s is read as "%s"', (source, text) => {
    const result = substituteEnv(source, { A: 'value of a', EMPTY: '' });
    expect(result.problem).toBeUndefined();
    expect(result.text).toBe(text);
  });

  it('are not read a second time in what a variable holds', () => {
    expect(substituteEnv(ref('A'), { A: ref('B'), B: 'b' }).text).toBe(ref('B'));
  });

  it.each([ref('UNSET'), ref('toString'), ref(''), ref('1'), ref('A-b'), '${A'])(
    '%s is a mistake',
    (source) => {
      expect(substituteEnv(source, { A: 'a' }).problem).toBeDefined();
    },
  );

  it('tell apart what stands in the file from what comes from variables', () => {
    expect(substituteEnv(`a${ref('A')}b${ref('UNSET:-c')}`, { A: 'secret' }).literal).toBe('abc');
  });

  it('leave any other text alone', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('${'));
        expect(substituteEnv(text, { A: 'a' })).toMatchObject({ text, substituted: false });
      }),
    );
  });
});
