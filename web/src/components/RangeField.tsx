// A share in percent, set by a slider or typed into the field beside it.
import { useId } from 'react';

interface RangeFieldProps {
  label: string;
  note?: string;
  value: number;
  onChange: (value: number) => void;
}

export function RangeField({ label, note, value, onChange }: RangeFieldProps) {
  const id = useId();
  const set = (text: string) => {
    const number = Math.round(Number(text));
    if (Number.isFinite(number)) onChange(Math.min(100, Math.max(0, number)));
  };
  return (
    <div className="range">
      <div className="range-name">
        <label htmlFor={id}>{label}</label>
        {note && <span className="muted">{note}</span>}
      </div>
      <input id={id} type="range" min={0} max={100} step={1} value={value} onChange={(event) => set(event.target.value)} />
      <div className="range-number">
        <input
          className="input" type="number" min={0} max={100} value={value} aria-label={`${label}, %`}
          onChange={(event) => set(event.target.value)}
        />
        <span aria-hidden="true">%</span>
      </div>
    </div>
  );
}
