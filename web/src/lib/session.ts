import { signal } from '@preact/signals';
import type { SessionInfo, SignIn } from '../../../src/server/api/session.js';
import { ApiError, api } from './api.js';

/** Who looks at the page: undefined until the server has said so, null for a stranger. */
export const session = signal<SessionInfo | null | undefined>(undefined);

/** Asks the server who is there. A server that does not answer leaves it to the pages to say so. */
export async function loadSession(): Promise<void> {
  try {
    session.value = await api<SessionInfo>('/api/session');
  } catch (error) {
    const isStranger = error instanceof ApiError && error.problem.status === 401;
    session.value = isStranger ? null : { name: '', role: 'viewer', can_sign_out: false };
  }
}

/** @throws ApiError */
export async function signIn(json: SignIn): Promise<void> {
  session.value = await api<SessionInfo>('/api/session', { method: 'POST', json });
}

/** Forgets the session here also when the server does not answer. */
export async function signOut(): Promise<void> {
  await api('/api/session', { method: 'DELETE' }).catch(() => {});
  session.value = null;
}

// Any request may find out that the session is over.
window.addEventListener('signedout', () => {
  session.value = null;
});
