import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSqlType, parseSqlType } from '../../src/base/sql-type.js';

describe('parseSqlType', () => {
  it.each([
    ['smallint', 'SMALLINT'],
    ['INT2', 'SMALLINT'],
    ['tinyint(1)', 'SMALLINT'],
    ['Integer', 'INTEGER'],
    ['int(11)', 'INTEGER'],
    ['int4', 'INTEGER'],
    ['mediumint', 'INTEGER'],
    ['bigint(20)', 'BIGINT'],
    ['int8', 'BIGINT'],
    ['Decimal', 'DECIMAL(18,3)'],
    ['decimal(9)', 'DECIMAL(9,0)'],
    ['decimal(18)', 'DECIMAL(18,0)'],
    ['numeric( 12 , 2 )', 'DECIMAL(12,2)'],
    ['NUMBER(38,38)', 'DECIMAL(38,38)'],
    ['real', 'REAL'],
    ['float4', 'REAL'],
    ['float', 'DOUBLE'],
    ['Double  Precision', 'DOUBLE'],
    ['double', 'DOUBLE'],
    ['bool', 'BOOLEAN'],
    ['char', 'CHAR(1)'],
    ['character(3)', 'CHAR(3)'],
    ['character varying(20)', 'VARCHAR(20)'],
    ['varchar', 'VARCHAR'],
    ['nvarchar(5)', 'VARCHAR(5)'],
    ['string', 'TEXT'],
    ['LONGTEXT', 'TEXT'],
    ['date', 'DATE'],
    ['time(3)', 'TIME'],
    ['datetime', 'TIMESTAMP'],
    ['timestamp(6)', 'TIMESTAMP'],
    ['timestamp without time zone', 'TIMESTAMP'],
    ['timestamp with time zone', 'TIMESTAMPTZ'],
    ['TIMESTAMPTZ', 'TIMESTAMPTZ'],
    ['timestamp(3) with time zone', 'TIMESTAMPTZ'],
    ['time(0) without time zone', 'TIME'],
    ['uuid', 'UUID'],
    ['jsonb', 'JSON'],
    [' varchar ( 7 ) ', 'VARCHAR(7)'],
  ])('%s is %s', (text, standard) => {
    const type = parseSqlType(text);
    expect(type && formatSqlType(type)).toBe(standard);
  });

  it.each([
    '',
    'blob',
    'integr',
    'constructor',
    '__proto__',
    'varchar(0)',
    'char(0)',
    'varchar(1,2)',
    'varchar(-1)',
    'varchar(x)',
    'varchar(5) not null',
    'decimal(0)',
    'decimal(39)',
    'decimal(5,6)',
    'decimal(5,2,1)',
    'int(1,2)',
    'date(',
    'varchar(10',
    'varchar(5) with time zone',
  ])('%j is no type', (text) => {
    expect(parseSqlType(text)).toBeUndefined();
  });

  it('reads what formatSqlType writes', () => {
    const kinds =
      'SMALLINT INTEGER BIGINT REAL DOUBLE BOOLEAN TEXT DATE TIME TIMESTAMP TIMESTAMPTZ UUID JSON VARCHAR';
    const plain = fc.constantFrom(...kinds.split(' '));
    const sized = fc.tuple(fc.constantFrom('CHAR', 'VARCHAR'), fc.integer({ min: 1, max: 65_535 }));
    const decimal = fc
      .integer({ min: 1, max: 38 })
      .chain((precision) => fc.tuple(fc.constant(precision), fc.integer({ min: 0, max: precision })));
    const texts = fc.oneof(
      plain,
      sized.map(([kind, length]) => `${kind}(${length})`),
      decimal.map(([precision, scale]) => `DECIMAL(${precision},${scale})`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const type = parseSqlType(text)!;
        expect(formatSqlType(type)).toBe(text);
        expect(parseSqlType(text.toLowerCase())).toEqual(type);
      }),
    );
  });
});
