// Converts as the program's own worker does, but dies of any file whose name begins with "poison".
import { workerData } from 'node:worker_threads';

/** Piscina hands its workers an array; the second part is what the pool was given. */
const { program } = workerData[1] ?? workerData;
const { default: convert } = await import(program);

export default async function poisoned(task) {
  if (task.files.some(({ name }) => name.startsWith('poison'))) process.exit(1);
  return convert(task);
}
