// A ranked list with a bar per entry; each entry is a link or a button. It sorts nothing.
import type { ReactNode } from 'react';

export interface Bar {
  key: string;
  name: string;
  detail: ReactNode;
  /** Length of the bar, 0 to 1. */
  length: number;
  colour?: string;
  /** What a press does. */
  label?: string;
}

export function Bars({ bars, onPick }: { bars: Bar[]; onPick: (bar: Bar) => void }) {
  return (
    <ul className="bars">
      {bars.map((bar) => (
        <li key={bar.key}>
          <button type="button" className="bar-row" onClick={() => onPick(bar)} title={bar.label}>
            <span className="truncate">
              {bar.colour && <span className="swatch" style={{ background: bar.colour }} aria-hidden="true" />}
              {bar.name}
            </span>
            <span className="muted small">{bar.detail}</span>
            <span className="bar-track" aria-hidden="true">
              <span className="bar-fill" style={{ width: `${Math.max(0, Math.min(1, bar.length)) * 100}%`, background: bar.colour }} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
