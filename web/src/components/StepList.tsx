// The events in order beside the lanes: only those in sight are drawn; arrow keys, Page, Home and End move the choice.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { TimelineEvent } from '../../client/analyses';
import { nameColour } from '../../components/chart/palette';
import { formatClock, formatDuration } from '../../format';
import { useTheme } from '../../state/theme';
import { t } from '../../text';

interface EventListProps {
  events: TimelineEvent[];
  index: number;
  onChoose: (index: number) => void;
}

const ROW_PX = 34;
const PAGE_STEP = 12;
/** A pause worth pointing at. */
const LONG_GAP_S = 10;

export function EventList({ events, index, onChoose }: EventListProps) {
  const theme = useTheme();
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: events.length, getScrollElement: () => scroll.current, estimateSize: () => ROW_PX, overscan: 10 });
  useEffect(() => virtual.scrollToIndex(index, { align: 'auto' }), [index, virtual]);

  const keys = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: PAGE_STEP, PageUp: -PAGE_STEP, Home: -events.length, End: events.length };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onChoose(Math.min(events.length - 1, Math.max(0, index + step)));
  };
  return (
    <div
      ref={scroll} className="events" role="listbox" tabIndex={0} aria-label={t('timeline.events')} aria-activedescendant={`event-${index}`} onKeyDown={keys}
    >
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map(({ index: at, start }) => {
          const event = events[at]!;
          return (
            <div
              key={at} id={`event-${at}`} role="option" aria-selected={at === index} aria-posinset={at + 1} aria-setsize={events.length}
              className="event" style={{ transform: `translateY(${start}px)` }} onClick={() => onChoose(at)}
            >
              <span className="event-time">{formatClock(event.time)}</span>
              <span className={`event-gap ${(event.gap_s ?? 0) >= LONG_GAP_S ? 'event-gap-long' : ''}`}>{event.gap_s === null ? '' : `${event.gap_s < 0 ? '' : '+'}${formatDuration(event.gap_s)}`}</span>
              <span className="truncate"><span className="swatch" style={{ background: nameColour(event.application ?? '', theme) }} aria-hidden="true" />{event.application ?? ''}</span>
              <span className="truncate event-activity">{event.activity ?? event.event_type}</span>
              <span className="truncate muted event-element">{event.screen ?? event.window_title ?? ''}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}
