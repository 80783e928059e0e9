// Everything known of the chosen event. A place for its picture stands here only if there is one.
import type { TimelineEvent } from '../../client/analyses';
import { columnTitle } from '../../format/cells';
import { formatDuration, formatNumber, formatTime, NOTHING } from '../../format';
import { t } from '../../text';

export function EventFacts({ event, number, total }: { event: TimelineEvent; number: number; total: number }) {
  const facts: [string, string | null][] = [
    ['time', formatTime(event.time)],
    ['gap_s', event.gap_s === null ? null : formatDuration(event.gap_s)],
    ['application', event.application],
    ['screen', event.screen],
    ['activity', event.activity],
    ['event_type', event.event_type],
    ['element', event.element],
    ['window_title', event.window_title],
    ['url_host', event.url_host],
    ['text_length', event.text_length === null ? null : formatNumber(event.text_length)],
    ['user', event.user === null ? null : String(event.user)],
    ['session', String(event.session)],
    ['case', event.case === null ? null : String(event.case)],
  ];
  return (
    <aside className="panel" aria-label={t('timeline.event')} aria-live="polite">
      <div className="panel-head"><h2>{t('timeline.eventNumber', { number, total })}</h2></div>
      <div className="panel-body stack">
        {event.screenshot_id && <div className="picture-place muted">{t('timeline.picture', { id: event.screenshot_id })}</div>}
        <dl className="fact-rows small">
          {facts.map(([name, value]) => (
            <div key={name}><dt>{columnTitle(name)}</dt><dd className="event-fact">{value || NOTHING}</dd></div>
          ))}
        </dl>
      </div>
    </aside>
  );
}
