/* What operators ask for, as JSON. */

/** `GET /healthz`. */
export interface Health {
  status: 'ok';
  version?: string;
}

/** `GET /readyz`. */
export interface Readiness {
  status: 'ready' | 'not_ready';
  /** Why no file is taken. */
  reasons: string[];
  /** Trouble that the work goes on with. */
  notices: string[];
  /** `none`: nothing is loaded. */
  database: 'up' | 'away' | 'none';
}
