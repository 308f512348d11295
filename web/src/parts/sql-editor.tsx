import { useEffect, useRef } from 'preact/hooks';
import type { EditorWords, SqlEditor } from '../lib/sql-editor.js';

export interface SqlEditorBoxProps {
  initial: string;
  words: EditorWords | undefined;
  onChange(text: string): void;
  onRun(): void;
  /** Given the editor once it is loaded. */
  onReady(editor: SqlEditor): void;
}

/** The editor, which is loaded when it is first shown. */
export function SqlEditorBox(props: SqlEditorBoxProps) {
  const box = useRef<HTMLDivElement>(null);
  const editor = useRef<SqlEditor | undefined>(undefined);
  // The editor is opened once and must call what is given last.
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    let isGone = false;
    import('../lib/sql-editor.js').then(({ openEditor }) => {
      // Preact takes the element away some time before it cleans up.
      if (isGone || !box.current) return;
      const opened = openEditor({
        ...{ parent: box.current, text: latest.current.initial },
        onChange: (text) => latest.current.onChange(text),
        onRun: () => latest.current.onRun(),
      });
      editor.current = opened;
      if (latest.current.words) opened.learn(latest.current.words);
      latest.current.onReady(opened);
    });
    return () => {
      isGone = true;
      editor.current?.close();
    };
  }, []);
  useEffect(() => {
    if (props.words) editor.current?.learn(props.words);
  }, [props.words]);
  return <div ref={box} class="sql-editor" />;
}
