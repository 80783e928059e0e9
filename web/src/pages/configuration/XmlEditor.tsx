// The configuration as text: colours, completion from the vocabulary, problems marked at their line and column. It checks nothing itself.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { type ElementSpec, xml } from '@codemirror/lang-xml';
import { bracketMatching, foldGutter, foldKeymap } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import type { Problem, Vocabulary } from '../../client';
import { colours, look } from '../../components/editorLook';
import { t } from '../../text';
import { offsetOf } from '../data/position';

const ROOT = 'lodeConfig';

interface XmlEditorProps {
  text: string;
  problems: Problem[];
  vocabulary: Vocabulary | null;
  /** A place to go to; each new object goes there once. */
  goal: { line: number; column: number } | null;
  readOnly?: boolean;
  onChange: (text: string) => void;
}

export default function XmlEditor({ text, problems, vocabulary, goal, readOnly = false, onChange }: XmlEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const words = useRef(new Compartment());
  const latest = useRef(onChange);
  latest.current = onChange;

  useEffect(() => {
    view.current = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(), foldGutter(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), closeBrackets(), autocompletion(),
          words.current.of(xml({ elements: specs(vocabulary) })), look, colours, lintGutter(), EditorView.lineWrapping, EditorState.readOnly.of(readOnly),
          keymap.of([{ key: 'Tab', run: acceptCompletion }, ...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap, ...defaultKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': t('configuration.text'), tabindex: '0' }),
          EditorView.updateListener.of((update) => { if (update.docChanged) latest.current(update.state.doc.toString()); }),
        ],
      }),
    });
    return () => view.current?.destroy();
    // The editor is made once; what changes later reaches it below.
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: words.current.reconfigure(xml({ elements: specs(vocabulary) })) });
  }, [vocabulary]);

  useEffect(() => {
    const editor = view.current;
    const change = editor && difference(editor.state.doc.toString(), text);
    if (change) editor.dispatch({ changes: change });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, problems.map((one) => diagnostic(editor.state, one))));
  }, [problems]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !goal) return;
    const at = offsetOf(editor.state.doc.toString(), goal.line, goal.column);
    editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
    editor.focus();
  }, [goal]);

  return <div ref={place} className="xml-editor" />;
}

function diagnostic(state: EditorState, { line, column, severity, message, hint }: Problem): Diagnostic {
  const from = offsetOf(state.doc.toString(), line, column);
  const word = state.wordAt(from);
  return { from, to: word?.to ?? Math.min(from + 1, state.doc.length), severity, message: hint ? `${message}. ${hint}` : message };
}

/** The one stretch in which two texts differ, so that the cursor and the undo steps survive an edit made elsewhere. */
export function difference(old: string, now: string): { from: number; to: number; insert: string } | null {
  if (old === now) return null;
  let from = 0;
  while (from < old.length && from < now.length && old[from] === now[from]) from += 1;
  let end = 0;
  while (end < old.length - from && end < now.length - from && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  return { from, to: old.length - end, insert: now.slice(from, now.length - end) };
}

function specs(vocabulary: Vocabulary | null): ElementSpec[] {
  if (!vocabulary) return [];
  // A floor has its own words for some elements; they stand under ids with a dot and are none of this editor's.
  return vocabulary.elements.filter((element) => !element.id.includes('.')).map((element) => ({
    name: element.name,
    top: element.id === ROOT,
    children: element.content.kind === 'elements' ? element.content.particles.flatMap((particle) => particle.ids) : [],
    attributes: element.attributes.map((attribute) => ({
      name: attribute.name,
      values: attribute.type === 'bool' ? ['true', 'false'] : [...(attribute.words ?? []), ...(attribute.columns ?? [])],
      completion: { detail: attribute.type, info: attribute.meaning },
    })),
    completion: { info: element.meaning },
  }));
}
