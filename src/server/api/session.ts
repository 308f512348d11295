/** Answer of `GET /api/session`. */
export interface SessionInfo {
  name: string;
  role: 'viewer' | 'analyst' | 'admin';
  /** Whether there is a session to leave; who came by token, by proxy or from this machine has none. */
  can_sign_out: boolean;
}

/** Body of `POST /api/session`. */
export interface SignIn {
  name: string;
  password: string;
}
