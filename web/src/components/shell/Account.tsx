// The menu of the person who is signed in: own account, the service for administrators, signing out.
import type { Me } from '../../client';
import { signOut } from '../../state/account';
import { t } from '../../text';
import { Icon } from '../Icon';
import { AddressLink } from '../PageLink';
import { Popover } from '../Popover';

export function Account({ me, onGone }: { me: Me; onGone: () => void }) {
  const account = me.account!;
  return (
    <Popover
      className="button button-quiet account" boxClassName="menu popover-up"
      button={<><span className="account-mark" aria-hidden="true">{account.name.slice(0, 1).toUpperCase()}</span><span className="grow truncate">{account.name}</span><Icon name="chevron" /></>}
    >
      {(close) => (
        <span onClick={close}>
          {me.open && <p className="menu-note small muted">{t('account.open')}</p>}
          <AddressLink address="/account" className="menu-item" onGone={onGone}><Icon name="people" />{t('page.account')}</AddressLink>
          {account.admin && <AddressLink address="/service" className="menu-item" onGone={onGone}><Icon name="key" />{t('page.service')}</AddressLink>}
          {!me.open && <button type="button" className="menu-item" onClick={() => void signOut()}><Icon name="right" />{t('account.signOut')}</button>}
        </span>
      )}
    </Popover>
  );
}
