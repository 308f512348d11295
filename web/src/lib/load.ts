import { useEffect, useState } from 'preact/hooks';
import { ApiError, api, type Problem } from './api.js';

/** What became of a request. The last data stay while newer ones are asked for. */
export interface Loaded<T> {
  data: T | undefined;
  problem: Problem | undefined;
  isLoading: boolean;
  /** Asks again. */
  reload(): void;
}

/** Lets a request begin when there is room for it. */
type Gate = <T>(work: () => Promise<T>) => Promise<T>;

const open: Gate = (work) => work();

/** Asks the server for `path` whenever that changes; `undefined` asks for nothing. */
export function useApi<T>(path: string | undefined, { gate = open }: { gate?: Gate } = {}): Loaded<T> {
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({
    data: undefined,
    problem: undefined,
    isLoading: path !== undefined,
  });
  useEffect(() => {
    if (path === undefined) return;
    const aborter = new AbortController();
    setState((last) => ({ ...last, isLoading: true }));
    gate(() => api<T>(path, { signal: aborter.signal })).then(
      (data) => setState({ data, problem: undefined, isLoading: false }),
      (error: unknown) => {
        if (aborter.signal.aborted) return;
        const problem = error instanceof ApiError ? error.problem : undefined;
        setState((last) => ({ data: last.data, problem: problem ?? unexpected(error), isLoading: false }));
      },
    );
    return () => aborter.abort();
  }, [path, turn]);
  return { ...state, reload: () => setTurn((last) => last + 1) };
}

function unexpected(error: unknown): Problem {
  return { title: 'Unexpected answer', status: 0, detail: String(error) };
}
