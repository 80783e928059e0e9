// Whether a robot could do a step, and why; in words, so that colour is not the only sign.
import type { TaskStep } from '../../client/analyses';
import { t } from '../../text';

export function Verdict({ step }: { step: TaskStep }) {
  return (
    <span className="verdict">
      <span className={`tag ${step.automatable ? 'tag-good' : 'tag-warm'}`}>{t(`verdict.${step.verdict}`)}</span>{' '}
      <span className="small muted">{reason(step)}</span>
    </span>
  );
}

function reason(step: TaskStep): string {
  if (step.verdict === 'value_unknown') return t('verdict.noRule');
  if (step.target === 'progression') return t('verdict.progression', { count: step.target_by ?? 0 });
  return t(`verdict.${step.target}`);
}
