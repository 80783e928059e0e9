// The state of a client: a shape, a colour and a word, so that none of them has to be told apart alone.
import type { ClientState } from '../../client';
import { t } from '../../text';

const SIGNS: Record<ClientState, { sign: string; className: string }> = {
  recording: { sign: '●', className: 'tag-good' },
  paused: { sign: '‖', className: 'tag-warm' },
  outside_schedule: { sign: '◔', className: '' },
  locked: { sign: '▣', className: '' },
  held: { sign: '…', className: 'tag-accent' },
  needs_consent: { sign: '?', className: 'tag-accent' },
  needs_enrolment: { sign: '+', className: 'tag-accent' },
  declined: { sign: '–', className: '' },
  stopped: { sign: '■', className: '' },
  offline: { sign: '○', className: 'tag-warm' },
  blocked: { sign: '⊘', className: 'tag-bad' },
  error: { sign: '!', className: 'tag-bad' },
  revoked: { sign: '✕', className: 'tag-bad' },
};

export function ClientTag({ state }: { state: ClientState }) {
  const { sign, className } = SIGNS[state];
  return <span className={`tag ${className}`} data-state={state}><span aria-hidden="true">{sign}</span>{t(`client.state.${state}`)}</span>;
}
