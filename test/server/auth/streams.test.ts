import { expect, it, onTestFinished } from 'vitest';
import { makeAccounts, PASSWORD } from './accounts.js';
import { openLocalServer } from './local-server.js';

it('a stream of events ends with the session that opened it', async () => {
  const server = await openLocalServer({ server: (await makeAccounts()).yaml });
  onTestFinished(() => server.close());
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const answer = await fetch(`${url}/api/session`, {
    ...{ method: 'POST', body: JSON.stringify({ name: 'viewer', password: PASSWORD }) },
    headers: { 'Content-Type': 'application/json' },
  });
  const Cookie = answer.headers.get('Set-Cookie')!.split(';')[0];
  const events = await fetch(`${url}/api/events`, { headers: { Cookie } });
  expect(events.status).toBe(200);
  const reader = events.body!.getReader();
  expect((await reader.read()).done).toBe(false);

  const signOut = { method: 'DELETE', headers: { Cookie, 'X-Dropgate': '1' } };
  expect((await fetch(`${url}/api/session`, signOut)).status).toBe(204);
  const rest = async () => {
    while (!(await reader.read()).done);
  };
  await expect(rest()).rejects.toThrow('terminated');
  expect((await fetch(`${url}/api/events`, { headers: { Cookie } })).status).toBe(401);
});
