// The text that is being edited: where it comes from, the tree read from it, what the check says while one types, and saving it as draft.
// The text is the only truth; the visual editor reads the tree and answers with changes to the text.
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import type { Check, Problem, ProjectConfiguration, ServiceError, Vocabulary } from '../../client';
import { checkConfiguration, configurationPath, readTemplate, saveDraft } from '../../client/configuration';
import { asServiceError, forgetAnswer, useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';
import { applyChanges, type Change } from '../../xml/edit';
import { placeOf, readXml, type XmlElement, type XmlFault } from '../../xml/tree';

/** Checked when typing has paused this long. */
const CHECK_MS = 250;
const SAVE_MS = 1_000;
/** Longer texts cannot be sent while a page is being left (see client/http.ts). */
const LEAVING_CHARS_MAX = 18_000;

export type Saving = 'saved' | 'waiting' | 'failed';

export interface Draft {
  text: string;
  /** Null while the text is no XML. */
  root: XmlElement | null;
  fault: XmlFault | null;
  /** The service's last word; it may be about the text of a moment ago. */
  check: Check | null;
  checkError: ServiceError | null;
  checking: boolean;
  problems: Problem[];
  saving: Saving;
  vocabulary: Vocabulary;
  edit: (changes: Change[]) => void;
  setText: (text: string) => void;
}

export const DraftContext = createContext<Draft | null>(null);

export function useDraft(): Draft {
  const draft = useContext(DraftContext);
  if (!draft) throw new Error('a part of the editor stands outside of it');
  return draft;
}

export interface Loaded {
  configuration: ProjectConfiguration | null;
  /** The published text; empty while nothing was published. */
  published: string | null;
  vocabulary: Vocabulary | null;
  error: ServiceError | null;
  again: () => void;
}

/** What the editor needs before it can begin. */
export function useLoaded(): Loaded {
  const { slug } = useProject();
  const configuration = useAnswer(configurationPath.configuration(slug));
  const vocabulary = useAnswer(configurationPath.vocabulary());
  const revision = configuration.answer?.published?.revision ?? null;
  const published = useAnswer(revision === null ? null : configurationPath.revision(slug, revision));
  return {
    configuration: configuration.answer, vocabulary: vocabulary.answer, error: configuration.error ?? vocabulary.error ?? published.error,
    published: configuration.answer === null ? null : revision === null ? '' : (published.answer?.revision === revision ? published.answer.xml ?? null : null),
    again: configuration.again,
  };
}

/** The text to begin with: the draft, else what is published, else the template. */
export function useFirstText(loaded: Loaded): { text: string | null; error: ServiceError | null } {
  const { slug } = useProject();
  const [template, setTemplate] = useState<string | null>(null);
  const [error, setError] = useState<ServiceError | null>(null);
  const { configuration, published } = loaded;
  const empty = configuration !== null && configuration.draft === null && published === '';
  useEffect(() => {
    if (empty) void readTemplate(slug, configuration.preset, [], []).then(({ xml }) => setTemplate(xml), (cause) => setError(asServiceError(cause)));
  }, [empty]);
  if (!configuration || published === null) return { text: null, error };
  return { text: configuration.draft?.xml ?? (published || template), error };
}

export function useEditing(first: string, vocabulary: Vocabulary): Draft {
  const { slug } = useProject();
  const [text, setText] = useState(first);
  const { root, fault } = useMemo(() => readXml(text), [text]);
  const { check, checkError, checking } = useCheck(slug, text);
  const saving = useSaving(slug, text, first);
  const now = useRef(text);
  now.current = text;
  const edit = useCallback((changes: Change[]) => setText(applyChanges(now.current, changes)), []);
  const problems = useMemo(() => (fault ? [faultProblem(text, fault)] : (check?.problems ?? [])), [fault, check, fault ? text : null]);
  return { text, root, fault, check, checkError, checking, problems, saving, vocabulary, edit, setText };
}

const faultProblem = (text: string, fault: XmlFault): Problem => ({ severity: 'error', code: 'not_xml', ...placeOf(text, fault.at), message: fault.message, hint: null });

function useCheck(slug: string, text: string): { check: Check | null; checkError: ServiceError | null; checking: boolean } {
  const [said, setSaid] = useState<{ text: string; check: Check | null; error: ServiceError | null }>({ text: '', check: null, error: null });
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      checkConfiguration(slug, text, abort.signal).then(
        (check) => setSaid({ text, check, error: null }),
        (cause) => { if (!abort.signal.aborted) setSaid((before) => ({ text, check: before.check, error: asServiceError(cause) })); },
      );
    }, CHECK_MS);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [slug, text]);
  return { check: said.check, checkError: said.error, checking: said.text !== text };
}

/**
 * Saves the draft while one types, at most once in `SAVE_MS`, and at once when the page is left. A text too large to be sent while the
 * browser leaves makes it ask first.
 */
function useSaving(slug: string, text: string, first: string): Saving {
  const [saving, setSaving] = useState<Saving>('saved');
  const saved = useRef(first);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const now = useRef(text);
  now.current = text;
  const save = useCallback(async () => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = null;
    const sent = now.current;
    if (sent === saved.current) return;
    saved.current = sent;
    forgetAnswer(configurationPath.configuration(slug));
    try {
      await saveDraft(slug, sent);
      if (now.current === sent) setSaving('saved');
    } catch {
      saved.current = '';
      setSaving('failed');
    }
  }, [slug]);
  useEffect(() => {
    if (text === saved.current) return;
    setSaving('waiting');
    timer.current ??= setTimeout(() => void save(), SAVE_MS);
  }, [text, save]);
  useEffect(() => {
    const leave = (event: BeforeUnloadEvent) => {
      if (now.current === saved.current) return;
      if (now.current.length > LEAVING_CHARS_MAX) event.preventDefault();
      void save();
    };
    window.addEventListener('beforeunload', leave);
    return () => {
      window.removeEventListener('beforeunload', leave);
      void save();
    };
  }, [save]);
  return saving;
}
