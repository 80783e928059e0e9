// What stands where a page would be that one may not open: why, and who can change that.
import type { Need } from '../state/permissions';
import { t } from '../text';
import { Empty } from './Notice';

export function Denied({ need }: { need: Need }) {
  return (
    <div className="panel">
      <Empty icon="lock" title={t('denied.title')}>
        {need !== 'member' && t(`denied.${need}`)} {need === 'admin' ? t('denied.grantAdmin') : t('denied.grant')}
      </Empty>
    </div>
  );
}
