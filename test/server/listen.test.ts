import { expect, it } from 'vitest';
import { addressesOf, endServer, listen, makeServer, portOf } from '../../src/server/listen.js';

it('listens at every address that the machine has, on one port', async () => {
  const server = makeServer();
  server.on('request', (request, response) => response.end(request.url));
  const others = await listen(server, { addresses: ['127.0.0.1', '127.0.0.2', '192.0.2.1'], port: 0 });
  try {
    expect(others).toHaveLength(1);
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const answer = await fetch(`http://${host}:${portOf(server)}/${host}`);
      expect(await answer.text()).toBe(`/${host}`);
    }
  } finally {
    await Promise.all([server, ...others].map(endServer));
  }
});

it('looks for all addresses of localhost, and takes another host as it is', async () => {
  expect(await addressesOf('localhost')).toContain('127.0.0.1');
  expect(await addressesOf('0.0.0.0')).toEqual(['0.0.0.0']);
});
