// One choice out of a few that are all in sight; a group of radio buttons underneath, so arrow keys work.
import { type ReactNode, useId } from 'react';

interface SegmentedProps<V extends string> {
  label: string;
  value: V;
  choices: { value: V; text: ReactNode; label?: string }[];
  onChange: (value: V) => void;
}

export function Segmented<V extends string>({ label, value, choices, onChange }: SegmentedProps<V>) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className="segmented">
      {choices.map((choice) => (
        <label key={choice.value} title={choice.label}>
          <input
            type="radio" name={name} value={choice.value} checked={choice.value === value} aria-label={choice.label}
            onChange={() => onChange(choice.value)}
          />
          <span>{choice.text}</span>
        </label>
      ))}
    </div>
  );
}
