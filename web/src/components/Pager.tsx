// Steps through a long list page by page, and says where one is.
import { formatNumber } from '../format';
import { t } from '../text';
import { Icon } from './Icon';

interface PagerProps {
  total: number;
  offset: number;
  page_rows: number;
  onPage: (offset: number) => void;
}

export function Pager({ total, offset, page_rows, onPage }: PagerProps) {
  if (total <= page_rows) return null;
  const last = Math.min(total, offset + page_rows);
  return (
    <div className="pager" role="group" aria-label={t('pager.label')}>
      <span>{t('pager.range', { from: formatNumber(offset + 1), to: formatNumber(last), total: formatNumber(total) })}</span>
      <button type="button" className="button button-icon button-small" aria-label={t('pager.before')} disabled={offset === 0} onClick={() => onPage(Math.max(0, offset - page_rows))}>
        <Icon name="left" size={16} />
      </button>
      <button type="button" className="button button-icon button-small" aria-label={t('pager.after')} disabled={last >= total} onClick={() => onPage(offset + page_rows)}>
        <Icon name="right" size={16} />
      </button>
    </div>
  );
}
