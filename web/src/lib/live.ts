import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LiveState } from '../../../src/server/api/files.js';
import { api } from './api.js';

/** How the pipeline stands, as the last event told; undefined before the first one. */
export const live = signal<LiveState | undefined>(undefined);
/** Since when the daemon does not answer; undefined while it does. */
export const awaySince = signal<string | undefined>(undefined);

const RECONNECT_MS = 2000;

let watchers = 0;
let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Listens to the events of the daemon while the component is shown. Pages in the background do not listen. */
export function useLive(): void {
  useEffect(() => {
    watchers++;
    adjust();
    return () => {
      watchers--;
      adjust();
    };
  }, []);
}

document.addEventListener('visibilitychange', adjust);

function adjust(): void {
  const isWanted = watchers > 0 && document.visibilityState === 'visible';
  if (isWanted && !source) connect();
  if (!isWanted) disconnect();
}

function connect(): void {
  clearTimeout(retry);
  source = new EventSource('/api/events');
  source.onmessage = ({ data }) => {
    live.value = JSON.parse(data) as LiveState;
    awaySince.value = undefined;
  };
  source.onerror = () => {
    awaySince.value ??= new Date().toISOString();
    // The browser comes back by itself after a lost connection, but not after an answer that is no stream.
    if (source?.readyState !== EventSource.CLOSED) return;
    disconnect();
    retry = setTimeout(adjust, RECONNECT_MS);
    // The session may be over: the window hears of it.
    api('/api/session').catch(() => undefined);
  };
}

function disconnect(): void {
  clearTimeout(retry);
  source?.close();
  source = undefined;
}

/** The value, which follows its changes at most every `everyMs`. */
export function useThrottled<T>(value: T, everyMs: number): T {
  const [shown, setShown] = useState(value);
  const changedAtMs = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const waitMs = Math.max(0, changedAtMs.current + everyMs - performance.now());
    const timer = setTimeout(() => {
      changedAtMs.current = performance.now();
      setShown(value);
    }, waitMs);
    return () => clearTimeout(timer);
  }, [value, everyMs]);
  return shown;
}

/** When to ask again: at most every `everyMs`, and not as long as it `isHeld`. */
export interface ReloadOptions {
  everyMs: number;
  isHeld?: boolean;
  /** What is looked at for changes; default: whether the daemon has written something down. */
  watch?(state: LiveState): unknown;
}

/** Calls `reload` when something has changed, and when the daemon is there again. */
export function useReloadOnChange(
  reload: () => void,
  { everyMs, isHeld = false, watch = ({ revision }) => revision }: ReloadOptions,
): void {
  const watched = live.value && watch(live.value);
  const key = useThrottled(`${watched}:${awaySince.value === undefined}`, everyMs);
  const loaded = useRef(key);
  useEffect(() => {
    if (isHeld || loaded.current === key) return;
    loaded.current = key;
    if (awaySince.value === undefined) reload();
  }, [key, isHeld]);
}
