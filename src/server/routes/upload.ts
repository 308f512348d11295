import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../../base/errors.js';
import { formatBytes } from '../../base/text.js';
import type { UploadOffer } from '../../pipeline/upload.js';
import type { PipelineView } from '../../pipeline/view/pipeline-view.js';
import type { UploadLimits } from '../api/upload.js';
import { audit } from '../auth/audit.js';
import { maySeeLines } from '../privacy.js';
import { RequestProblem } from '../problem.js';
import { uploadAnswer } from '../upload-answer.js';
import { LIMITS_SCHEMA, UPLOAD_SCHEMA } from './upload-schema.js';

interface UploadRoute {
  Params: { '*': string };
  Querystring: { wait: 0 | 1; timeout_s: number };
}

/** After an answer to a file that was not wanted, so much time to finish sending it. Some clients listen only then. */
const LINGER_MS = 30_000;

/** `PUT /input/NAME`: delivers a file; with `?wait=1` the answer is its verdict. `GET /api/upload`: what can be delivered. */
export function uploadRoutes(app: FastifyInstance, view: PipelineView): void {
  const { maxUploadBytes } = view.settings.server;
  app.get('/api/upload', { schema: LIMITS_SCHEMA }, (): UploadLimits => ({ max_bytes: maxUploadBytes }));
  app.register(async (scope) => {
    // The body is a stream, whatever type it says it is.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _body, done) => done(null));
    scope.put<UploadRoute>(
      '/input/*',
      {
        schema: UPLOAD_SCHEMA,
        config: { role: 'analyst', isUpload: true },
        // Before the sender is told to go on.
        onRequest: async (request, reply) => {
          endUnwanted(request, reply);
          refuseAltered(request);
          await view.uploads.admit(offerOf(request));
        },
        onError: async (request, _reply, error) =>
          audit(request, `was refused the upload of "${request.params['*']}": ${messageOf(error)}`),
      },
      (request, reply) => upload(request, { reply, view }),
    );
  });
}

async function upload(
  request: FastifyRequest<UploadRoute>,
  { reply, view }: { reply: FastifyReply; view: PipelineView },
): Promise<unknown> {
  const { wait, timeout_s } = request.query;
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  const { file, verdict } = await view.uploads.receive(
    { ...offerOf(request), content: request.raw },
    {
      timeoutMs: wait * timeout_s * 1000,
      signal: left.signal,
      onReceived: ({ name, bytes }) => audit(request, `uploaded ${name}, ${formatBytes(bytes)}`),
    },
  );
  const { settings } = view;
  const maySee = (dataset: string | null) =>
    maySeeLines(settings, { dataset: dataset ?? undefined, user: request.user });
  const { status, type, body } = uploadAnswer(file, verdict, maySee);
  return reply.code(status).type(type).send(body);
}

/** A part of a file, or one that was packed on its way, would be taken for the file. Source: RFC 9110, sections 8.4 and 14.4 */
function refuseAltered({ headers }: FastifyRequest): void {
  if (headers['content-range'] !== undefined)
    throw new RequestProblem(
      400,
      'Parts of files are not taken',
      'Send the file as a whole (curl without -C).',
    );
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new RequestProblem(
      415,
      'Files are not unpacked on their way',
      'Send the file as it is; a packed one under a name that ends in .gz.',
    );
}

function offerOf({ params, headers }: FastifyRequest<UploadRoute>): UploadOffer {
  const length = headers['content-length'];
  return { name: params['*'], announcedBytes: length === undefined ? undefined : Number(length) };
}

/** Ends a connection over which somebody goes on sending what was refused. */
function endUnwanted({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once('finish', () => {
    if (raw.complete) return;
    const timer = setTimeout(() => raw.socket.destroy(), LINGER_MS);
    timer.unref();
    raw.once('close', () => clearTimeout(timer));
  });
}
