import type { ComponentChildren } from 'preact';
import type { Problem } from '../lib/api.js';

/** Says what went wrong and what to do. */
export function ProblemNotice({ problem }: { problem: Problem }) {
  return (
    <div class="notice" role="alert">
      <strong>{problem.title}</strong>
      <span>{problem.detail}</span>
      {problem.hint && <span class="soft">{problem.hint}</span>}
    </div>
  );
}

/** Says what to do where there is nothing yet. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
