import type { ComponentChildren, HTMLAttributes } from 'preact';

/** What the box is called by those who do not see it, and what else an element takes. */
export interface TableBoxProps extends HTMLAttributes<HTMLElement> {
  label: string;
  children: ComponentChildren;
}

/** A box in which a table scrolls, so that the page does not; also by the keyboard. */
export function TableBox({ label, class: className = '', children, ...rest }: TableBoxProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class={`table-box ${className}`} tabIndex={0} aria-label={label} {...rest}>
      {children}
    </section>
  );
}
