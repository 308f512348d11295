import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { MySQL, PostgreSQL, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** What an editor begins with. */
export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  onChange(text: string): void;
  /** Ctrl+Enter, or Cmd+Enter. */
  onRun(): void;
}

/** What an editor completes. */
export interface EditorWords {
  dialect: 'postgres' | 'mysql' | null;
  tables: { name: string; columns: string[] }[];
}

/** An editor of SQL in a box. */
export interface SqlEditor {
  text: string;
  learn(words: EditorWords): void;
  /** Puts the cursor at a line and column, both from 1. */
  goTo(line: number, column: number): void;
  close(): void;
}

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent-strong)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--info)' },
  { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--warn)' },
  { tag: tags.comment, color: 'var(--text-soft)', fontStyle: 'italic' },
]);

const THEME = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: '14px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', maxHeight: '45vh', overflow: 'auto' },
  '.cm-content, .cm-gutter': { minHeight: '196px' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 0' },
  '.cm-gutters': { backgroundColor: 'var(--surface-sunken)', color: 'var(--text-soft)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'transparent' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'var(--accent-soft)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface-raised)',
    color: 'var(--text)',
    border: '1px solid var(--line)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
});

/**
 * Text typed over a selection. Left to itself, Chromium gives the new text the style of the old one in a `style`
 * attribute, which the Content-Security-Policy forbids.
 */
const REPLACE_SELECTION = EditorView.domEventHandlers({
  beforeinput: ({ inputType, data }, view) => {
    const isOurs = inputType === 'insertText' && data && !view.state.selection.main.empty && !view.composing;
    if (isOurs) view.dispatch({ ...view.state.replaceSelection(data), userEvent: 'input.type' });
    return Boolean(isOurs);
  },
});

/**
 * Opens an editor in a shadow root: there it uses constructed style sheets, which the Content-Security-Policy allows,
 * while in the document it would add a `<style>` element.
 */
export function openEditor({ parent, text, onChange, onRun }: EditorOptions): SqlEditor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: 'open' });
  const language = new Compartment();
  const runKey = {
    key: 'Mod-Enter',
    run: () => {
      onRun();
      return true;
    },
  };
  const view = new EditorView({
    ...{ root, parent: root },
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([runKey, ...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        [
          lineNumbers(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          bracketMatching(),
          closeBrackets(),
        ],
        [
          autocompletion({ icons: false }),
          language.of(sql()),
          syntaxHighlighting(COLOURS),
          THEME,
          EditorView.lineWrapping,
          REPLACE_SELECTION,
        ],
        EditorView.contentAttributes.of({ 'aria-label': 'SQL statement' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(next) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    learn({ dialect, tables }) {
      const schema = Object.fromEntries(tables.map(({ name, columns }) => [name, columns]));
      const support = sql({ dialect: dialect === 'mysql' ? MySQL : PostgreSQL, schema });
      const columns = support.language.data.of({
        autocomplete: (context: CompletionContext) => completeColumns(context, tables),
      });
      view.dispatch({ effects: language.reconfigure([support, columns]) });
    },
    goTo(line, column) {
      const { doc } = view.state;
      const at = doc.line(Math.min(line, doc.lines));
      const anchor = Math.min(at.from + column - 1, at.to);
      view.dispatch({ selection: { anchor }, scrollIntoView: true });
      view.focus();
    },
    close: () => view.destroy(),
  };
}

/** Columns of the tables that the statement names, before all keywords. */
function completeColumns(context: CompletionContext, tables: EditorWords['tables']): CompletionResult | null {
  const word = context.matchBefore(/\w+/);
  if (!word || context.state.sliceDoc(word.from - 1, word.from) === '.') return null;
  const text = context.state.doc.toString();
  const named = tables.filter(({ name }) => text.includes(name));
  const columns = [...new Set(named.flatMap((table) => table.columns))];
  return { from: word.from, options: columns.map((label) => ({ label, boost: 50 })), validFor: /^\w*$/ };
}
