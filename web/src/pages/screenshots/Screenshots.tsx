// The page that answers "what did it look like?": the pictures of the chosen case, session or filter, one in sight with its event.
import { useEffect, useMemo, useState } from 'react';
import type { PictureEvent } from '../../client/analyses';
import { records } from '../../client/records';
import { Download } from '../../components/AnalysisPanel';
import { Formula } from '../../components/Formula';
import { Icon } from '../../components/Icon';
import { AnswerFailure, Empty, NothingFound, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { Pager } from '../../components/Pager';
import { StepList } from '../../components/StepList';
import { formatTime, shortKey } from '../../format';
import { useAnalysis } from '../../state/analysis';
import { changeQuery, usePlace } from '../../state/location';
import { t } from '../../text';
import { Viewer } from './Viewer';
import './screenshots.css';

/** Events fetched at a time, the most the service gives. */
const EVENTS_MAX = 10_000;

export default function Screenshots() {
  const { query } = usePlace();
  const [kind, chosen] = query.get('case') ? ['case', query.get('case')!] as const : query.get('session') ? ['session', query.get('session')!] as const : [null, null];
  const part = Math.max(0, Number(query.get('part')) || 0);
  const asked = useAnalysis('screenshots', { ...(kind === 'case' ? { case: chosen } : kind === 'session' ? { session: chosen } : {}), limit: EVENTS_MAX, offset: part });
  const events = useMemo(() => (asked.answer ? records<PictureEvent>(asked.answer) : []), [asked.answer]);
  const steps = useMemo(() => events.map((event) => ({ ...event, gap_s: null })), [events]);
  const [type, setType] = useState('');
  const wanted = query.get('event');
  const index = Math.max(0, events.findIndex((event) => String(event.event) === wanted));
  const choose = (next: number) => {
    const event = events[Math.min(events.length - 1, Math.max(0, next))];
    if (event) changeQuery({ event: String(event.event) }, { replace: true });
  };
  /** To the next event in a direction that is of the wanted type, or stays. */
  const go = (by: 1 | -1) => {
    for (let at = index + by; at >= 0 && at < events.length; at += by) if (!type || events[at]!.event_type === type) return choose(at);
  };
  useKeys({ ArrowRight: () => go(1), j: () => go(1), ArrowLeft: () => go(-1), k: () => go(-1) });

  if (asked.error) return <section className="panel"><div className="panel-body"><AnswerFailure error={asked.error} again={asked.again} /></div></section>;
  if (!asked.answer) return <Waiting height={520} />;
  const event = events[index];
  const types = [...new Set(events.map((one) => one.event_type))].sort();
  const title = kind === null ? t('screenshots.all') : kind === 'case' ? t('timeline.case', { key: shortKey(chosen) }) : t('timeline.session', { key: shortKey(chosen) });
  return (
    <div className={`screenshots ${asked.loading ? 'loading' : ''}`}>
      <section className="panel screenshots-list" aria-label={t('screenshots.steps')}>
        <div className="panel-head">
          <h2 className="truncate">{title}</h2>
          <span className="muted small">{t('count.pictures', { count: asked.answer.total })}</span>
          <span className="row" style={{ gap: 0 }}>
            <Formula of={t('page.screenshots')} text={asked.answer.formula} />
            <Download of={t('page.screenshots')} fileAddress={asked.fileAddress} />
          </span>
        </div>
        {kind && <p className="small screenshots-narrowing"><button type="button" className="button-link" onClick={() => changeQuery({ case: null, session: null, part: null })}>{t('screenshots.showAll')}</button></p>}
        {events.length === 0 ? <NothingFound what={t('screenshots.none')} /> : <StepList key={`${kind}-${chosen}-${part}`} steps={steps} index={index} onChoose={choose} />}
        <Pager total={asked.answer.total} offset={part} page_rows={EVENTS_MAX} onPage={(next) => changeQuery({ part: next ? String(next) : null, event: null })} />
      </section>
      <section className="panel" aria-label={t('screenshots.picture')}>
        {event ? (
          <>
            <div className="panel-head screenshots-head">
              <button type="button" className="button button-icon" aria-label={t('screenshots.before')} disabled={index === 0} onClick={() => go(-1)}><Icon name="left" /></button>
              <button type="button" className="button button-icon" aria-label={t('screenshots.next')} disabled={index === events.length - 1} onClick={() => go(1)}><Icon name="right" /></button>
              <h2 className="truncate grow" aria-live="polite">{event.activity ?? event.event_type}</h2>
              <span className="small muted">{t('screenshots.number', { number: part + index + 1, total: asked.answer.total })} · {formatTime(event.time)}</span>
              <label className="row small" style={{ gap: 6 }}>
                {t('screenshots.stopAt')}
                <select className="input input-small" value={type} onChange={(change) => setType(change.target.value)}>
                  <option value="">{t('screenshots.stopAt.all')}</option>
                  {types.map((one) => <option key={one} value={one}>{one}</option>)}
                </select>
              </label>
              {event.case !== null && <PageLink page="timeline" add={{ case: String(event.case), event: String(event.event) }} className="button button-small"><Icon name="timeline" size={16} />{t('screenshots.toTimeline')}</PageLink>}
            </div>
            <Viewer event={event} />
          </>
        ) : <Empty icon="picture" title={t('screenshots.empty')}>{t('screenshots.empty.text')}</Empty>}
      </section>
    </div>
  );
}

/** Keys of the whole page. A field that takes text, a list that moves by itself and an open dialog keep theirs. */
function useKeys(keys: Record<string, () => void>) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
      if (target.closest('input, select, textarea, [contenteditable], .picture-frame-zoomed, .picture-cover') && event.key.startsWith('Arrow')) return;
      if (target.closest('input, textarea, select')) return;
      const go = keys[event.key];
      if (!go) return;
      event.preventDefault();
      go();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  });
}
