// The page that answers "what happened in this instance?": a list of cases or sessions, and the events of the chosen one.
// Filters choose the cases; a chosen case is always shown whole.
import { useEffect, useMemo } from 'react';
import { type Answer, type Narrowing, path } from '../../client';
import type { Case, PictureEvent, Session, TimelineEvent } from '../../client/analyses';
import { records } from '../../client/records';
import { Download } from '../../components/AnalysisPanel';
import { CaseRuleButton } from '../../components/CaseRule';
import { Formula } from '../../components/Formula';
import { Icon } from '../../components/Icon';
import { AnswerFailure, Empty, NothingFound, Waiting } from '../../components/Notice';
import { Pager } from '../../components/Pager';
import { Segmented } from '../../components/Segmented';
import { StepList } from '../../components/StepList';
import { formatDuration, formatTime, shortKey } from '../../format';
import { useAnalysis } from '../../state/analysis';
import { useAnswer } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { may } from '../../state/permissions';
import { PART_ROWS, useParts } from '../../state/parts';
import { useProject } from '../../state/project';
import { t } from '../../text';
import { EventFacts } from './EventFacts';
import { Lanes } from './Lanes';
import './timeline.css';

type Kind = 'case' | 'session';

const LIST_ROWS = 50;
/** Events shown of one case at a time; the list draws those in sight, the lanes one line a pixel. */
const EVENTS_MAX = 100_000;

export default function Timeline() {
  const { query } = usePlace();
  const kind: Kind = query.has('case') ? 'case' : query.has('session') || query.get('by') === 'session' ? 'session' : 'case';
  return (
    <div className="timeline">
      <Instances kind={kind} />
      <Chosen kind={kind} chosen={query.get(kind)} />
    </div>
  );
}

interface Instance {
  key: string;
  name: string;
  start: string;
  duration_s: number;
  events: number;
}

function instances(kind: Kind, answer: Answer): Instance[] {
  if (kind === 'case') {
    return records<Case>(answer).map((one) => ({ key: String(one.case), name: one.label || t('timeline.case', { key: shortKey(String(one.case)) }), start: one.start, duration_s: one.duration_s, events: one.events }));
  }
  return records<Session>(answer).map((one) => ({ key: String(one.session), name: t('timeline.session', { key: shortKey(String(one.session)) }), start: one.start, duration_s: one.active_s + one.idle_s, events: one.events }));
}

/** What another page asked to see: the cases with one step, one activity or one variant. */
function useNarrowing(): { parameters: Narrowing; words: string | null } {
  const { query } = usePlace();
  const [from, to, step, variant] = ['edge_from', 'edge_to', 'step', 'in'].map((name) => query.get(name));
  if (from && to) return { parameters: { edge_from: from, edge_to: to }, words: t('timeline.withStep', { from, to }) };
  if (step) return { parameters: { activity: [step] }, words: t('timeline.withActivity', { activity: step }) };
  if (variant) return { parameters: { variant }, words: t('timeline.ofVariant') };
  return { parameters: {}, words: null };
}

function Instances({ kind }: { kind: Kind }) {
  const { query } = usePlace();
  const narrowing = useNarrowing();
  const offset = Math.max(0, Number(query.get('offset')) || 0);
  const asked = useAnalysis(kind === 'case' ? 'cases' : 'sessions', { ...(kind === 'case' ? narrowing.parameters : {}), limit: LIST_ROWS, offset });
  const list = useMemo(() => (asked.answer ? instances(kind, asked.answer) : []), [asked.answer, kind]);
  const chosen = query.get(kind);
  const first = list[0]?.key ?? null;
  useEffect(() => {
    // The first one opens by itself, so that the page never stands empty beside a full list.
    if (!chosen && first && !asked.loading) changeQuery({ [kind]: first }, { replace: true });
  }, [chosen, first, kind, asked.loading]);
  const title = kind === 'case' ? t('timeline.cases') : t('timeline.sessions');
  return (
    <section className="panel timeline-list" aria-label={title}>
      <div className="panel-head">
        <h2 className="visually-hidden">{title}</h2>
        <Segmented
          label={t('timeline.by')} value={kind} onChange={(value) => changeQuery({ by: value === 'session' ? value : null, case: null, session: null, event: null, offset: null })}
          choices={[{ value: 'case', text: t('timeline.cases') }, { value: 'session', text: t('timeline.sessions') }]}
        />
        <span className="grow" />
        {asked.answer && <Formula of={title} text={asked.answer.formula} align="start" />}
        {asked.answer && <Download of={title} fileAddress={asked.fileAddress} />}
      </div>
      <div className="panel-body">
        {narrowing.words && kind === 'case' && (
          <p className="timeline-narrowing small">
            <span>{narrowing.words}</span>
            <button type="button" className="button-link" onClick={() => changeQuery({ edge_from: null, edge_to: null, step: null, in: null, offset: null, case: null, event: null })}>{t('timeline.all')}</button>
          </p>
        )}
        {asked.error ? <AnswerFailure error={asked.error} again={asked.again} />
          : !asked.answer ? <Waiting height={300} />
          : list.length === 0 ? <NothingFound />
          : (
            <ul className={`instances ${asked.loading ? 'loading' : ''}`}>
              {list.map((one) => (
                <li key={one.key}>
                  <button type="button" className="instance" aria-current={one.key === chosen || undefined} onClick={() => changeQuery({ [kind]: one.key, event: null })}>
                    <span className="instance-name truncate">{one.name}</span>
                    <span className="small muted">{formatDuration(one.duration_s)}</span>
                    <span className="small muted truncate">{formatTime(one.start)}</span>
                    <span className="small muted">{t('count.events', { count: one.events })}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
        {asked.answer && <Pager total={asked.answer.total} offset={offset} page_rows={LIST_ROWS} onPage={(next) => changeQuery({ offset: next ? String(next) : null, [kind]: null, event: null })} />}
      </div>
    </section>
  );
}

/** One case or one session, as an analysis is narrowed to it. */
const instance = (kind: Kind, key: string | null): Narrowing => (kind === 'case' ? { case: key ?? undefined } : { session: key ?? undefined });

function Chosen({ kind, chosen }: { kind: Kind; chosen: string | null }) {
  const project = useProject();
  const { query } = usePlace();
  const part = Math.max(0, Number(query.get('part')) || 0);
  const addressOf = (offset: number) => path.analysis(project.slug, 'time_line', { ...instance(kind, chosen), limit: PART_ROWS, offset });
  const { first: answer, rows: events, error, complete, again } = useParts<TimelineEvent>(chosen ? addressOf : null, part, EVENTS_MAX, records<TimelineEvent>);
  const pictures = usePictured(kind, chosen, events);
  const index = Math.max(0, events.findIndex((event) => String(event.event) === query.get('event')));
  const choose = (next: number) => {
    const event = events[Math.min(events.length - 1, Math.max(0, next))];
    if (event) changeQuery({ event: String(event.event) }, { replace: true });
  };
  if (!chosen) return <section className="panel"><Empty icon="timeline" title={t('timeline.none')}>{t('timeline.none.text')}</Empty></section>;
  if (error) return <section className="panel"><div className="panel-body"><AnswerFailure error={error} again={again} /></div></section>;
  if (!answer) return <Waiting height={520} />;
  const event = events[index];
  const span_s = events.length ? (Date.parse(events.at(-1)!.time) - Date.parse(events[0]!.time)) / 1000 : 0;
  const fileAddress = (format: 'csv' | 'parquet') => path.analysis(project.slug, 'time_line', { ...instance(kind, chosen), format });
  return (
    <div className="stack">
      <section className="panel" aria-label={t('timeline.lanes')}>
        <div className="panel-head">
          <h2 className="truncate">{kind === 'case' ? t('timeline.case', { key: shortKey(chosen) }) : t('timeline.session', { key: shortKey(chosen) })}</h2>
          <span className="muted small" aria-busy={!complete || undefined}>{complete ? t('count.events', { count: answer.total }) : t('timeline.coming', { there: events.length, total: answer.total })} · {formatDuration(span_s)}</span>
          {kind === 'case' && <CaseRuleButton />}
          <span className="row" style={{ gap: 0 }}>
            <Formula of={t('page.timeline')} text={answer.formula} />
            <Download of={t('page.timeline')} fileAddress={fileAddress} />
          </span>
        </div>
        <div className="panel-body">
          {events.length === 0 ? <NothingFound /> : <Lanes events={events} index={index} onChoose={choose} />}
          <Pager total={answer.total} offset={part} page_rows={EVENTS_MAX} onPage={(next) => changeQuery({ part: next ? String(next) : null, event: null })} />
        </div>
      </section>
      {event && (
        <div className="timeline-events">
          <section className="panel" aria-label={t('timeline.events')}>
            <div className="panel-head"><h2>{t('timeline.events')}</h2><span className="muted small timeline-keys"><Icon name="up" size={12} /><Icon name="down" size={12} /> {t('timeline.keys')}</span></div>
            <StepList key={chosen} steps={events} index={index} onChoose={choose} />
          </section>
          <EventFacts event={event} number={part + index + 1} total={answer.total} pictured={pictures.get(event.event) ?? null} />
        </div>
      )}
    </div>
  );
}

/** The events that have a picture, by number; none is asked for where there is none or one may see none. */
function usePictured(kind: Kind, chosen: string | null, events: TimelineEvent[]): Map<number, PictureEvent> {
  const project = useProject();
  const any = may('pictures', project) && events.some((event) => event.screenshot_id);
  const { answer } = useAnswer(any ? path.analysis(project.slug, 'screenshots', { ...instance(kind, chosen), limit: PART_ROWS }) : null);
  return useMemo(() => new Map(answer && any ? records<PictureEvent>(answer).map((event) => [event.event, event]) : []), [answer, any]);
}
