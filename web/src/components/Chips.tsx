// A list of short words as chips that can be taken away, with a field to add more. It checks nothing beyond what `clean` does.
import { useId, useState } from 'react';
import { t } from '../text';
import { Icon } from './Icon';

interface ChipsProps {
  label: string;
  note?: string;
  values: string[];
  suggestions?: string[];
  /** Makes a word of what was typed; an empty one is not added. */
  clean?: (typed: string) => string;
  disabled?: boolean;
  onChange: (values: string[]) => void;
}

export function Chips({ label, note, values, suggestions = [], clean = (typed) => typed.trim(), disabled, onChange }: ChipsProps) {
  const id = useId();
  const [typed, setTyped] = useState('');
  const add = (text: string) => {
    const words = text.split(/[\s,;]+/).map(clean).filter((word) => word && !values.includes(word));
    if (words.length > 0) onChange([...values, ...new Set(words)]);
    setTyped('');
  };
  const open = suggestions.filter((word) => !values.includes(word));
  return (
    <div className="field" role="group" aria-label={label}>
      <label htmlFor={id} className="label">{label}</label>
      {values.length > 0 && (
        <ul className="chips">
          {values.map((value) => (
            <li key={value} className="chip">
              <span className="truncate mono">{value}</span>
              <button type="button" disabled={disabled} aria-label={t('action.remove', { what: value })} onClick={() => onChange(values.filter((other) => other !== value))}><Icon name="close" size={14} /></button>
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        <input
          id={id} className="input mono" value={typed} disabled={disabled} list={open.length > 0 ? `${id}-list` : undefined} onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => { if (event.key === 'Enter' && typed.trim()) { event.preventDefault(); add(typed); } }}
        />
        <button type="button" className="button" disabled={disabled || !typed.trim()} onClick={() => add(typed)}>{t('action.add')}</button>
      </div>
      {open.length > 0 && <datalist id={`${id}-list`}>{open.map((word) => <option key={word} value={word} />)}</datalist>}
      {note && <span className="small muted">{note}</span>}
    </div>
  );
}
