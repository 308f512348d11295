import { useEffect, useState } from 'preact/hooks';

interface DraftInputProps {
  /** Its accessible name. */
  label: string;
  /** What holds as long as nothing else is given. */
  text: string;
  /** For a number: its bounds, and what stands in the empty input. */
  number?: { min: number; max: number; placeholder: string };
  /** Told when the input is left, or by Enter. */
  onGiven(text: string): void;
}

/** An input that keeps what is being typed when the page is drawn anew meanwhile, as figures arrive. */
export function DraftInput({ label, text, number, onGiven }: DraftInputProps) {
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  return (
    <input
      class="input"
      {...(number ? { type: 'number' as const, ...number } : { type: 'text' as const })}
      aria-label={label}
      value={draft}
      onInput={(event) => setDraft(event.currentTarget.value)}
      onChange={(event) => onGiven(event.currentTarget.value)}
    />
  );
}
