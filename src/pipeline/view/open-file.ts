import fs from 'node:fs';

/** A file that is open for reading; whoever got it closes the handle. */
export interface OpenFile {
  handle: fs.promises.FileHandle;
  /** Bytes when it was opened. */
  size: number;
}

/** Opens a regular file, never through a symbolic link and never waiting on a pipe; undefined where there is none. */
export async function openForReading(file: string): Promise<OpenFile | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const handle = await fs.promises.open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined);
  if (!handle) return undefined;
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, size: stats.size };
  await handle.close();
  return undefined;
}
