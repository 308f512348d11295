import type { FailedUpload, UploadAnswer } from '../../../src/server/api/upload.js';
import { ApiError, AWAY, type Problem } from './api.js';

/** How the sending of a file is followed and ended. */
export interface SendOptions {
  /** Name in the input folder. */
  name: string;
  signal: AbortSignal;
  /** Hears how many bytes have been sent. */
  onProgress(bytes: number): void;
}

/**
 * Delivers a file and waits for its verdict, a minute at most.
 * @throws ApiError, whose problem is a `FailedUpload` when the file itself failed; the signal's reason when it aborts
 */
export function sendFile(file: File, { name, signal, onProgress }: SendOptions): Promise<UploadAnswer> {
  // fetch does not tell how much was sent.
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.open('PUT', `/input/${encodeURIComponent(name)}?wait=1`);
    request.setRequestHeader('X-Dropgate', '1');
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.upload.onload = () => onProgress(file.size);
    request.onload = () => {
      if (request.status === 401) window.dispatchEvent(new Event('signedout'));
      const answer = parse(request.responseText);
      if (request.status < 300 && answer) resolve(answer as UploadAnswer);
      else reject(new ApiError((answer as Problem | undefined) ?? unreadable(request)));
    };
    request.onerror = () => reject(new ApiError(AWAY));
    request.onabort = () => reject(signal.reason);
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** Did the file itself fail, and not its sending? */
export function isFailedUpload(problem: Problem): problem is Problem & FailedUpload {
  return 'violations_total' in problem;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable({ status, statusText }: XMLHttpRequest): Problem {
  return { title: statusText, status, detail: `The server answered ${status}.` };
}
