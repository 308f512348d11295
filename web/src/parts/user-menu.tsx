import { session, signOut } from '../lib/session.js';

/** Who is signed in, and the way out. Nothing where everybody on the machine is let in. */
export function UserMenu() {
  const user = session.value;
  if (!user || user.name === '') return null;
  return (
    <div class="row user-menu">
      <span class="user-name" title={`Signed in as ${user.name}, role ${user.role}`}>
        {user.name} <span class="badge">{user.role}</span>
      </span>
      {user.can_sign_out && (
        <button type="button" class="button quiet" onClick={signOut}>
          Sign out
        </button>
      )}
    </div>
  );
}
