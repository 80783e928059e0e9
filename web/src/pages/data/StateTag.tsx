// The state of a job or a run as a word with a sign; the colour only repeats it.
import type { Job, RunState } from '../../client';
import { t } from '../../text';

const SIGNS: Record<Job['state'] | RunState, { sign: string; className: string }> = {
  fresh: { sign: '✓', className: 'tag-good' },
  done: { sign: '✓', className: 'tag-good' },
  stale: { sign: '↻', className: 'tag-warm' },
  running: { sign: '…', className: 'tag-accent' },
  queued: { sign: '…', className: '' },
  failed: { sign: '!', className: 'tag-bad' },
  cancelled: { sign: '–', className: '' },
  never: { sign: '–', className: '' },
};

export function StateTag({ state }: { state: Job['state'] | RunState }) {
  const { sign, className } = SIGNS[state];
  return <span className={`tag ${className}`}><span aria-hidden="true">{sign}</span>{t(`state.${state}`)}</span>;
}
