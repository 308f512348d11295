import { useState } from 'preact/hooks';

const CHOICES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof CHOICES)[number];

function current(): Theme {
  const stored = localStorage.getItem('theme') as Theme | null;
  return stored && CHOICES.includes(stored) ? stored : 'auto';
}

/** Goes round light, dark, and as the system has it. Charts hear of it by the event `themechange` on the window. */
export function ThemeButton() {
  const [theme, setTheme] = useState(current);
  const change = () => {
    const next = CHOICES[(CHOICES.indexOf(theme) + 1) % CHOICES.length];
    if (next === 'auto') {
      localStorage.removeItem('theme');
      delete document.documentElement.dataset.theme;
    } else {
      localStorage.setItem('theme', next);
      document.documentElement.dataset.theme = next;
    }
    setTheme(next);
    window.dispatchEvent(new Event('themechange'));
  };
  return (
    <button type="button" class="button quiet" onClick={change}>
      <span class="visually-hidden">Theme: </span>
      {theme}
    </button>
  );
}
