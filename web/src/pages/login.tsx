import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, type Problem } from '../lib/api.js';
import { go, location } from '../lib/router.js';
import { signIn } from '../lib/session.js';
import { ProblemNotice } from '../parts/notice.js';
import '../style/login.css';

/** Asks a stranger for name and password, at whatever address; afterwards the page of that address is shown. */
export default function LoginPage() {
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    document.title = 'Sign in · Dropgate';
    form.current?.querySelector('input')?.focus();
  }, []);

  const submit = async (event: Event) => {
    event.preventDefault();
    const fields = new FormData(form.current!);
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn({ name: String(fields.get('name')), password: String(fields.get('password')) });
      if (location.value.path === '/login') go('/', { replace: true });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.problem);
      setBusy(false);
      form.current?.querySelector<HTMLInputElement>('input[type=password]')?.select();
    }
  };

  return (
    <main class="login">
      <form ref={form} class="card stack login-form" onSubmit={submit}>
        <h1 class="row">
          <img src="/favicon.svg" alt="" width="32" height="32" />
          Sign in to Dropgate
        </h1>
        <label class="field">
          Name
          <input class="input" name="name" autocomplete="username" required maxLength={200} />
        </label>
        <label class="field">
          Password
          <input
            class="input"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxLength={1000}
          />
        </label>
        {problem && <ProblemNotice problem={problem} />}
        <button type="submit" class="button primary login-button" disabled={isBusy}>
          {isBusy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
