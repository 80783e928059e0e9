// For logs whose columns have other names: says which column is the time, the user and so on. Without it the service looks for itself.
import { useEffect, useState } from 'react';
import { t } from '../../text';
import { readHeader } from './header';

/** The columns of an event that logs usually have, in the order people think of them. The service knows more of them. */
const FIELDS = ['time', 'user_name', 'event_type', 'application', 'case_id', 'window_title', 'url', 'element_name', 'element_id', 'text', 'mouse_x', 'mouse_y'] as const;
/** Enough bytes to hold any sensible first line. */
const HEAD_BYTES = 65_536;

export function ColumnMapping({ file, onChange }: { file: File; onChange: (map: string) => void }) {
  const [columns, setColumns] = useState<string[]>([]);
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const readable = /\.csv$/i.test(file.name);

  useEffect(() => {
    if (!readable) return;
    let gone = false;
    void file.slice(0, HEAD_BYTES).text().then((text) => { if (!gone) setColumns(readHeader(text)); });
    return () => { gone = true; };
  }, [file, readable]);

  const choose = (field: string, column: string) => {
    const next = { ...chosen, [field]: column };
    setChosen(next);
    onChange(FIELDS.filter((one) => next[one]).map((one) => `${one}=${next[one]}`).join(','));
  };
  return (
    <details className="mapping">
      <summary>{t('mapping.title')}</summary>
      <p className="muted small">{t('mapping.note')}</p>
      <div className="mapping-fields">
        {FIELDS.map((field) => (
          <label key={field} className="field"><span>{t(`mapping.${field}`)}</span>
            {columns.length > 0 ? (
              <select className="input" value={chosen[field] ?? ''} onChange={(event) => choose(field, event.target.value)}>
                <option value="">{t('mapping.auto')}</option>
                {columns.map((column) => <option key={column}>{column}</option>)}
              </select>
            ) : <input className="input" value={chosen[field] ?? ''} placeholder={t('mapping.auto')} onChange={(event) => choose(field, event.target.value)} />}
          </label>
        ))}
      </div>
    </details>
  );
}
