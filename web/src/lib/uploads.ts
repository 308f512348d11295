import { signal } from '@preact/signals';
import type { UploadAnswer, UploadLimits } from '../../../src/server/api/upload.js';
import { ApiError, api, type Problem } from './api.js';
import { formatBytes } from './format.js';
import { sendFile } from './send-file.js';

/** A file on its way to the server, and what became of it. */
export interface Upload {
  id: number;
  /** Name in the input folder. */
  name: string;
  file: File;
  /**
   * - `queued`: waits for others; `sending`; `checking`: sent, its verdict is to come
   * - `done`: see `answer`; `failed`: see `problem`
   */
  state: 'queued' | 'sending' | 'checking' | 'done' | 'failed';
  sentBytes: number;
  answer?: UploadAnswer;
  problem?: Problem;
}

/** So many files are sent at once. */
const MAX_AT_ONCE = 3;
const DATA_NAME = /\.(?:csv|tsv|txt)(?:\.gz)?$/i;

/** Of this visit, the newest last. They go on while other pages are shown. */
export const uploads = signal<readonly Upload[]>([]);

const aborters = new Map<number, AbortController>();
let lastId = 0;
let limits: Promise<UploadLimits> | undefined;

/** Sends files, under their own names or, for one file, as `name`. */
export function addUploads(files: readonly File[], name?: string): void {
  const added = files.map(
    (file): Upload => ({ id: ++lastId, name: name ?? file.name, file, state: 'queued', sentBytes: 0 }),
  );
  uploads.value = [...uploads.value, ...added];
  pump();
}

/** Sends a file again. */
export function repeatUpload({ id, name, file }: Upload): void {
  dismissUpload(id);
  addUploads([file], name);
}

/** Ends an upload that is under way, and forgets it. */
export function dismissUpload(id: number): void {
  aborters.get(id)?.abort();
  uploads.value = uploads.value.filter((one) => one.id !== id);
  pump();
}

/** Forgets those that have ended. */
export function dismissEnded(): void {
  uploads.value = uploads.value.filter(({ state }) => state !== 'done' && state !== 'failed');
}

function pump(): void {
  const busy = uploads.value.filter(({ state }) => state === 'sending' || state === 'checking').length;
  const next = uploads.value
    .filter(({ state }) => state === 'queued')
    .slice(0, Math.max(0, MAX_AT_ONCE - busy));
  for (const one of next) void run(one);
}

async function run({ id, name, file }: Upload): Promise<void> {
  const aborter = new AbortController();
  aborters.set(id, aborter);
  change(id, { state: 'sending' });
  try {
    await refuseEarly(name, file);
    const onProgress = (sentBytes: number) =>
      change(id, { sentBytes, state: sentBytes < file.size ? 'sending' : 'checking' });
    const answer = await sendFile(file, { name, signal: aborter.signal, onProgress });
    change(id, { state: 'done', answer });
  } catch (error) {
    change(id, { state: 'failed', problem: problemFrom(error) });
  } finally {
    aborters.delete(id);
    pump();
  }
}

/** What the server would refuse is not sent at all. */
async function refuseEarly(name: string, file: File): Promise<void> {
  if (!DATA_NAME.test(name)) {
    throw refusal(
      'This is no file of delimited text',
      'Take a file that ends in .csv, .tsv or .txt, each also with .gz.',
    );
  }
  limits ??= api<UploadLimits>('/api/upload');
  const { max_bytes } = await limits.catch((error: unknown) => {
    limits = undefined;
    throw error;
  });
  if (file.size > max_bytes) {
    const detail = `Files of more than ${formatBytes(max_bytes)} are not taken here`;
    throw refusal(detail, 'Split the file, or copy it into the input folder.');
  }
}

function refusal(detail: string, hint: string): ApiError {
  return new ApiError({ title: 'Not sent', status: 400, detail, hint });
}

function problemFrom(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return { title: 'Not sent', status: 0, detail: String(error) };
}

function change(id: number, changes: Partial<Upload>): void {
  uploads.value = uploads.value.map((one) => (one.id === id ? { ...one, ...changes } : one));
}
