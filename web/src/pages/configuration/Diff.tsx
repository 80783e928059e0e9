// Two texts side by side in one column: lines that went are marked −, lines that came +, so that colour only repeats it.
import { t } from '../../text';
import { diffLines, type Line } from './lines';

const SIGNS: Record<Line['kind'], string> = { same: ' ', gone: '−', new: '+', 'left out': '⋯' };

export function Diff({ old, now, label }: { old: string; now: string; label: string }) {
  const lines = diffLines(old, now);
  if (lines.every((line) => line.kind === 'same' || line.kind === 'left out')) return <p className="note">{t('diff.same')}</p>;
  return (
    <div className="diff" tabIndex={0} role="group" aria-label={label}>
      {lines.map((line, index) => (
        <div key={index} className={`diff-line diff-${line.kind.replace(' ', '-')}`}>
          <span className="diff-number" aria-hidden="true">{line.old ?? ''}</span><span className="diff-number" aria-hidden="true">{line.now ?? ''}</span>
          <span className="diff-sign">{SIGNS[line.kind]}</span><span className="diff-text">{line.text || ' '}</span>
        </div>
      ))}
    </div>
  );
}
