// The editor of SQL and of scripts: colours, completion from the schema, the error marked at its line and column. It runs nothing itself.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, type Completion, completeFromList, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { python } from '@codemirror/lang-python';
import { PostgreSQL, sql } from '@codemirror/lang-sql';
import { bracketMatching, indentUnit } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import type { JobLanguage, SqlFunction, Table } from '../../client';
import { colours, look } from '../../components/editorLook';
import { offsetOf } from './position';

export interface Mark {
  line: number;
  column: number;
  message: string;
}

interface CodeEditorProps {
  label: string;
  language?: JobLanguage;
  text: string;
  tables: Table[];
  functions: SqlFunction[];
  mark: Mark | null;
  onChange: (text: string) => void;
  onRun?: () => void;
}

function words(language: JobLanguage, tables: Table[], functions: SqlFunction[]) {
  if (language === 'python') return [python(), indentUnit.of('    ')];
  const schema = Object.fromEntries(tables.map((table) => [
    table.name,
    { self: { label: table.name, type: 'class', info: table.description }, children: table.columns.map((column): Completion => ({ label: column.name, type: 'property', detail: column.type, info: column.description || undefined })) },
  ]));
  const columns = [...new Map(tables.flatMap((table) => table.columns).map((column) => [column.name, { label: column.name, type: 'property', detail: column.type, boost: -1 }])).values()];
  const calls = functions.map((one): Completion => ({ label: one.name, type: 'function', detail: one.signature.replace(one.name, ''), info: one.description, apply: `${one.name}(` }));
  return [
    sql({ dialect: PostgreSQL, schema, upperCaseKeywords: true }),
    PostgreSQL.language.data.of({ autocomplete: completeFromList([...calls, ...columns]) }),
  ];
}

export default function CodeEditor({ label, language = 'sql', text, tables, functions, mark, onChange, onRun }: CodeEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const known = useRef(new Compartment());
  const latest = useRef({ onChange, onRun });
  latest.current = { onChange, onRun };

  useEffect(() => {
    const run = () => {
      latest.current.onRun?.();
      return true;
    };
    view.current = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: text,
        extensions: [
          Prec.highest(keymap.of([{ key: 'Mod-Enter', run }])), lineNumbers(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), closeBrackets(),
          autocompletion(), known.current.of(words(language, tables, functions)), look, colours, lintGutter(), EditorView.lineWrapping,
          // Tab leaves the editor, as it leaves any field, unless a completion is open.
          keymap.of([{ key: 'Tab', run: acceptCompletion }, ...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          EditorView.updateListener.of((update) => { if (update.docChanged) latest.current.onChange(update.state.doc.toString()); }),
        ],
      }),
    });
    return () => view.current?.destroy();
    // The editor is made once; what changes later reaches it below.
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: known.current.reconfigure(words(language, tables, functions)) });
  }, [language, tables, functions]);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== text) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const found: Diagnostic[] = [];
    if (mark) {
      const from = offsetOf(editor.state.doc.toString(), mark.line, mark.column);
      const word = editor.state.wordAt(from);
      found.push({ from, to: word?.to ?? Math.min(from + 1, editor.state.doc.length), severity: 'error', message: mark.message });
      editor.dispatch({ selection: { anchor: from }, scrollIntoView: true });
      editor.focus();
    }
    editor.dispatch(setDiagnostics(editor.state, found));
  }, [mark]);

  return <div ref={place} className="code-editor" />;
}
