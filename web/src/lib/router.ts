import { signal } from '@preact/signals';

/** The address that is shown: path and query. */
export const location = signal(readLocation());

export interface Location {
  path: string;
  query: URLSearchParams;
}

function readLocation(): Location {
  return { path: window.location.pathname, query: new URLSearchParams(window.location.search) };
}

/** Goes to an address of this page. With `replace` the step is not one to go back to. */
export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  location.value = readLocation();
  if (!replace) window.scrollTo(0, 0);
}

/** Changes some parameters of the query and keeps the others; empty values are left out. */
export function setQuery(changes: Record<string, string | undefined>, options?: { replace?: boolean }): void {
  const query = new URLSearchParams(location.value.query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  go(location.value.path + (text ? `?${text}` : ''), options);
}

/** Links within the page change the address without loading it anew. */
export function followLinks(): void {
  window.addEventListener('popstate', () => {
    location.value = readLocation();
  });
  document.addEventListener('click', (event) => {
    const link = (event.target as Element | null)?.closest('a');
    const isPlain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute('download')) return;
    const { origin, pathname, search } = new URL(link.href);
    if (origin !== window.location.origin || /^\/(?:api|input|metrics)(?:\/|$)/.test(pathname)) return;
    event.preventDefault();
    go(pathname + search);
  });
}
