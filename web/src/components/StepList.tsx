// Events in order, one of them chosen: only those in sight are drawn; arrow keys, J, K, Page, Home and End move the choice.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { TimelineEvent } from '../client/analyses';
import { formatClock, formatDuration } from '../format';
import { useTheme } from '../state/theme';
import { t } from '../text';
import { nameColour } from './chart/palette';
import './steps.css';

/** What a row shows of an event; `gap_s` is null where no time before it is known. */
export type Step = Pick<TimelineEvent, 'time' | 'gap_s' | 'application' | 'activity' | 'event_type' | 'screen'>;

interface StepListProps {
  steps: Step[];
  index: number;
  onChoose: (index: number) => void;
}

const ROW_PX = 34;
const PAGE_STEP = 12;
/** A pause worth pointing at. */
const LONG_GAP_S = 10;

export function StepList({ steps, index, onChoose }: StepListProps) {
  const theme = useTheme();
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: steps.length, getScrollElement: () => scroll.current, estimateSize: () => ROW_PX, overscan: 10 });
  useEffect(() => virtual.scrollToIndex(index, { align: 'auto' }), [index, virtual]);

  const keys = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: PAGE_STEP, PageUp: -PAGE_STEP, Home: -steps.length, End: steps.length };
    const by = moves[event.key];
    if (by === undefined) return;
    event.preventDefault();
    onChoose(Math.min(steps.length - 1, Math.max(0, index + by)));
  };
  return (
    <div
      ref={scroll} className="events" role="listbox" tabIndex={0} aria-label={t('timeline.events')} aria-activedescendant={`event-${index}`} onKeyDown={keys}
    >
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map(({ index: at, start }) => {
          const step = steps[at]!;
          return (
            <div
              key={at} id={`event-${at}`} role="option" aria-selected={at === index} aria-posinset={at + 1} aria-setsize={steps.length}
              className="event" style={{ transform: `translateY(${start}px)` }} onClick={() => onChoose(at)}
            >
              <span className="event-time">{formatClock(step.time)}</span>
              <span className={`event-gap ${(step.gap_s ?? 0) >= LONG_GAP_S ? 'event-gap-long' : ''}`}>{step.gap_s === null ? '' : `${step.gap_s < 0 ? '' : '+'}${formatDuration(step.gap_s)}`}</span>
              <span className="truncate"><span className="swatch" style={{ background: nameColour(step.application ?? '', theme) }} aria-hidden="true" />{step.application ?? ''}</span>
              <span className="truncate event-activity">{step.activity ?? step.event_type}</span>
              <span className="truncate muted event-element">{step.screen ?? ''}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}
