import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BindOptions, bindColumns } from '../../src/check/bind-columns.js';

function bind(header: string[] | undefined, declared: string[], options: Partial<BindOptions> = {}) {
  return bindColumns({
    header,
    width: header?.length ?? 0,
    declared,
    extraColumns: 'fail_file',
    ...options,
  });
}

/** `declared 0`, `rescued note`, `ignored`. */
function kinds({ bindings }: ReturnType<typeof bindColumns>): string[] {
  return bindings.map((one) => {
    if (one.kind === 'declared') return `declared ${one.index}`;
    return one.kind === 'rescued' ? `rescued ${one.name}` : 'ignored';
  });
}

describe('columns by name', () => {
  it('are found in any order', () => {
    const columns = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 });
    const shuffled = columns.chain((names) =>
      fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })),
    );
    fc.assert(
      fc.property(shuffled, ([declared, header]) => {
        const bound = bind(header, declared);
        expect(bound.problems).toEqual([]);
        expect(kinds(bound)).toEqual(header.map((name) => `declared ${declared.indexOf(name)}`));
      }),
    );
  });

  it('are all told when they disagree, not only the first', () => {
    const { problems } = bind(['b', 'x', '', 'b'], ['a', 'b', 'c']);
    expect(problems).toEqual([
      { code: 'unknown_column', column: 'x', message: 'column 2, "x", is not declared in schema.yaml' },
      { code: 'empty_column_name', column: '', message: 'column 3 has no name in the header' },
      { code: 'duplicate_column', column: 'b', message: 'columns 1 and 4 are both named "b"' },
      { code: 'missing_column', column: 'a', message: 'the declared column "a" is not in the file' },
      { code: 'missing_column', column: 'c', message: 'the declared column "c" is not in the file' },
    ]);
  });

  it('may be more than declared where that is wished', () => {
    const ignored = bind(['a', 'x', ''], ['a'], { extraColumns: 'ignore' });
    expect([ignored.problems, kinds(ignored)]).toEqual([[], ['declared 0', 'ignored', 'ignored']]);
    const rescued = bind(['x', 'a', ''], ['a'], { extraColumns: 'rescue' });
    expect([rescued.problems, kinds(rescued)]).toEqual([[], ['rescued x', 'declared 0', 'rescued column_3']]);
  });

  it('are doubled neither among the declared nor among the others', () => {
    for (const extraColumns of ['ignore', 'rescue'] as const) {
      const { problems } = bind(['a', 'a', 'x', 'x'], ['a'], { extraColumns });
      expect(problems.map(({ code, column }) => `${code} ${column}`)).toEqual([
        'duplicate_column a',
        'duplicate_column x',
      ]);
    }
  });

  it('may have names that objects have by nature', () => {
    const names = ['constructor', '__proto__', 'toString'];
    expect(kinds(bind(names, [...names].reverse()))).toEqual(['declared 2', 'declared 1', 'declared 0']);
    expect(bind(['a'], ['a', '__proto__']).problems).toHaveLength(1);
  });
});

describe('columns without a header', () => {
  it('come in the order declared', () => {
    const bound = bind(undefined, ['a', 'b'], { width: 2 });
    expect([bound.problems, kinds(bound)]).toEqual([[], ['declared 0', 'declared 1']]);
  });

  it.each([
    [1, 'missing_column'],
    [3, 'unknown_column'],
  ])('must be as many as declared (%d of 2: %s)', (width, code) => {
    const message = `the file has no header and ${width} column${width === 1 ? '' : 's'}, 2 are declared`;
    expect(bind(undefined, ['a', 'b'], { width }).problems).toEqual([{ code, column: '', message }]);
  });
});
