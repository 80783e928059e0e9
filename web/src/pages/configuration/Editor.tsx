// The editor itself: sections to fill in on one side, the text on the other. Both show the same text; on narrow screens one at a time.
import { lazy, Suspense } from 'react';
import { Empty, Waiting } from '../../components/Notice';
import { Segmented } from '../../components/Segmented';
import { changeQuery, usePlace } from '../../state/location';
import { t } from '../../text';
import { placeOf, type XmlElement } from '../../xml/tree';
import { useDraft } from './draft';
import { BOTH_PX_MIN, problemsBySection, type Section, SECTIONS } from './model';
import { Applications } from './sections/Applications';
import { Attributes } from './sections/Attributes';
import { Consent } from './sections/Consent';
import { Redaction } from './sections/Redaction';
import { Rules } from './sections/Rules';
import { Schedule } from './sections/Schedule';
import { Settings } from './sections/Settings';
import { Tests } from './sections/Tests';

const XmlEditor = lazy(() => import('./XmlEditor'));
const VIEWS = ['visual', 'both', 'text'] as const;
type View = (typeof VIEWS)[number];

interface EditorProps { goal: { line: number; column: number } | null; onGoal: (goal: { line: number; column: number }) => void }

export function Editor({ goal, onGoal }: EditorProps) {
  const draft = useDraft();
  const { query } = usePlace();
  const asked = query.get('view') as View | null;
  const view = asked && VIEWS.includes(asked) ? asked : window.innerWidth >= BOTH_PX_MIN ? 'both' : 'visual';
  const section = SECTIONS.find((one) => one === query.get('section')) ?? 'applications';
  return (
    <div className="stack-tight">
      <div className="row">
        <Segmented label={t('configuration.view')} value={view} onChange={(next) => changeQuery({ view: next }, { replace: true })} choices={VIEWS.map((one) => ({ value: one, text: t(`configuration.view.${one}`) }))} />
      </div>
      <div className={`editor-sides editor-${view}`}>
        <section className="panel editor-visual" aria-label={t('configuration.visual')}>
          {draft.root ? <Visual root={draft.root} section={section} /> : <Broken onGoal={onGoal} />}
        </section>
        <section className="panel editor-text" aria-label={t('configuration.text')}>
          <Suspense fallback={<Waiting height={480} />}>
            <XmlEditor text={draft.text} problems={draft.problems} vocabulary={draft.vocabulary} goal={goal} onChange={draft.setText} />
          </Suspense>
        </section>
      </div>
    </div>
  );
}

/** While the text is no XML there is nothing to show; the place to mend is one press away. */
function Broken({ onGoal }: { onGoal: EditorProps['onGoal'] }) {
  const { text, fault } = useDraft();
  const place = placeOf(text, fault?.at ?? 0);
  return (
    <Empty
      icon="warning" title={t('configuration.broken', { line: place.line, message: fault?.message ?? '' })}
      actions={<button type="button" className="button" onClick={() => { changeQuery({ view: window.innerWidth >= BOTH_PX_MIN ? 'both' : 'text' }); onGoal({ ...place }); }}>{t('configuration.broken.go')}</button>}
    >
      {t('configuration.broken.text')}
    </Empty>
  );
}

function Visual({ root, section }: { root: XmlElement; section: Section }) {
  const { text, problems } = useDraft();
  const found = problemsBySection(text, root, problems);
  return (
    <div className="visual">
      <nav className="visual-nav" aria-label={t('configuration.sections')}>
        {SECTIONS.map((one) => {
          const own = found.get(one) ?? [];
          const errors = own.some((problem) => problem.severity === 'error');
          return (
            <button key={one} type="button" className="visual-link" aria-current={one === section ? 'true' : undefined} onClick={() => changeQuery({ section: one, rule: null })}>
              {t(`section.${one}`)}
              {own.length > 0 && <span className={`tag ${errors ? 'tag-bad' : 'tag-warm'}`}><span aria-hidden="true">{errors ? '!' : '?'}</span><span className="visually-hidden">{t('configuration.problems', { count: own.length })}</span></span>}
            </button>
          );
        })}
      </nav>
      <div className="visual-body stack" key={section}>
        <div><h2>{t(`section.${section}`)}</h2><p className="muted">{t(`section.${section}.text`)}</p></div>
        <SectionBody root={root} section={section} />
      </div>
    </div>
  );
}

function SectionBody({ root, section }: { root: XmlElement; section: Section }) {
  switch (section) {
    case 'applications': return <Applications root={root} />;
    case 'rules': return <Rules root={root} />;
    case 'redaction': return <Redaction root={root} />;
    case 'consent': return <Consent root={root} />;
    case 'schedule': return <Schedule root={root} />;
    case 'attributes': return <Attributes root={root} />;
    case 'tests': return <Tests root={root} />;
    case 'screenshots': return <Settings root={root} names={['screenshots']} />;
    case 'capture': return <Settings root={root} names={['capture', 'client']} />;
    case 'storage': return <Settings root={root} names={['upload', 'storage']} />;
    case 'extension': return <Settings root={root} names={['extension']} />;
  }
}
