import type { FastifyInstance } from 'fastify';

/**
 * Senders of large bodies may ask first whether they are wanted (`Expect: 100-continue`, as curl does). They are told to go on
 * when the request has passed all checks of its head, and before its body is read; a refusal spares them the sending.
 * `startServer` hands such requests over like all others.
 * Source: RFC 9110, section 10.1.1
 */
export function answerExpectations(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }, reply) => {
    // What was not sent cannot be read past.
    if (headers.expect !== undefined) reply.header('Connection', 'close');
  });
  app.addHook('preParsing', async ({ headers }, reply) => {
    if (headers.expect === undefined) return;
    reply.removeHeader('Connection');
    reply.raw.writeContinue();
  });
}
