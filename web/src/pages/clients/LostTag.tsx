// "lost = 0", or how many events are missing.
import type { Balance } from '../../client';
import { t } from '../../text';
import { verdict } from './balance';

export function LostTag({ balance }: { balance: Balance }) {
  const said = verdict(balance);
  if (said === 'settled') return <span className="tag tag-good"><span aria-hidden="true">✓</span>{t('clients.lost.none')}</span>;
  if (said === 'open') return <span className="tag"><span aria-hidden="true">…</span>{t('clients.lost.open')}</span>;
  return <span className="tag tag-bad"><span aria-hidden="true">!</span>{t('clients.lost.some', { lost: balance.lost })}</span>;
}
