// Everything known of the chosen event, with its picture if it has one and one may see it.
import type { PictureEvent, TimelineEvent } from '../../client/analyses';
import { PageLink } from '../../components/PageLink';
import { Stage } from '../../components/picture/Stage';
import { usePicture } from '../../components/picture/usePicture';
import { columnTitle } from '../../format/cells';
import { formatDuration, formatNumber, formatTime, NOTHING } from '../../format';
import { t } from '../../text';

interface EventFactsProps {
  event: TimelineEvent;
  number: number;
  total: number;
  /** The same event as the pictures know it; null if it has none. */
  pictured: PictureEvent | null;
}

export function EventFacts({ event, number, total, pictured }: EventFactsProps) {
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
        {pictured && <EventPicture event={pictured} />}
        <dl className="fact-rows small">
          {facts.map(([name, value]) => (
            <div key={name}><dt>{columnTitle(name)}</dt><dd className="event-fact">{value || NOTHING}</dd></div>
          ))}
        </dl>
      </div>
    </aside>
  );
}

function EventPicture({ event }: { event: PictureEvent }) {
  const { picture, error } = usePicture(event.screenshot_id);
  if (error) return <p className="small muted">{error.code === 'not_found' ? t('picture.gone') : error.message}</p>;
  if (!picture) return null;
  if (picture.hidden) return <p className="small muted">{t('picture.hidden')}</p>;
  const add: Record<string, string> = { event: String(event.event), ...(event.case === null ? { session: String(event.session) } : { case: String(event.case) }) };
  return (
    <div className="stack-tight">
      <Stage event={event} picture={picture} />
      <PageLink page="screenshots" add={add} className="small">{t('timeline.picture.large')}</PageLink>
    </div>
  );
}
