// An order of activities as a row of arrows; repeats are drawn once with their count, and a long order is cut with the rest counted:
// where there is room for several rows, a press on the count draws the rest, and another one takes it away.
import { useState } from 'react';
import { stretches } from './stretches';
import { t } from '../text';
import './sequence.css';

interface SequenceProps {
  activities: string[];
  /** So many arrows at most. */
  shown_max: number;
  wrap?: boolean;
}

export function Sequence({ activities, shown_max, wrap = false }: SequenceProps) {
  const all = stretches(activities);
  const [whole, setWhole] = useState(false);
  const shown = whole ? all : all.slice(0, shown_max);
  const rest = Math.max(0, all.length - shown_max);
  return (
    <ol className={`sequence ${wrap ? 'sequence-wrap' : ''}`} aria-label={t('variants.sequence', { count: activities.length })}>
      {shown.map((stretch, index) => (
        <li key={index} title={stretch.activity}>
          <span className="truncate">{stretch.activity}</span>
          {stretch.count > 1 && <span className="sequence-count">×{stretch.count}</span>}
        </li>
      ))}
      {rest > 0 && (
        <li className="sequence-rest">
          {wrap ? <button type="button" className="button button-quiet button-small" aria-expanded={whole} onClick={() => setWhole(!whole)}>{whole ? t('variants.fewer') : t('variants.more', { count: rest })}</button> : t('variants.more', { count: rest })}
        </li>
      )}
    </ol>
  );
}
