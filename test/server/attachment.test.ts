import { expect, it } from 'vitest';
import { attachment } from '../../src/server/attachment.js';

it.each([
  ['scores.csv', `attachment; filename="scores.csv"; filename*=UTF-8''scores.csv`],
  ['a"b\\c%.csv', `attachment; filename="a_b_c_.csv"; filename*=UTF-8''a%22b%5Cc%25.csv`],
  [
    "x\r\nSet-Cookie: a='1'.csv",
    `attachment; filename="x__Set-Cookie: a='1'.csv"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3D%271%27.csv`,
  ],
  ['漢字.csv', `attachment; filename="__.csv"; filename*=UTF-8''%E6%BC%A2%E5%AD%97.csv`],
  ['half \ud800.csv', `attachment; filename="half _.csv"; filename*=UTF-8''half%20%EF%BF%BD.csv`],
])('a file named %j is saved under its name', (name, header) => {
  expect(attachment(name)).toBe(header);
});
