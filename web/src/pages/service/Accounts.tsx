// Everybody who can sign in. An account is switched off, never deleted: the audit log goes on naming it.
import { type FormEvent, useState } from 'react';
import type { Account } from '../../client';
import { changeAccount, createAccount, resetAccount, servicePath } from '../../client/service';
import { CopyBox } from '../../components/Copy';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { ErrorNote, Waiting } from '../../components/Notice';
import { Pager } from '../../components/Pager';
import { formatTime, NOTHING } from '../../format';
import { useMe } from '../../state/account';
import { useAnswer } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { useWork } from '../../state/work';
import { t } from '../../text';

const PAGE_ROWS = 100;

export function Accounts() {
  const me = useMe().me?.account;
  const { query } = usePlace();
  const offset = Math.max(0, Number(query.get('offset')) || 0);
  const { answer, error, again } = useAnswer(servicePath.accounts(PAGE_ROWS, offset));
  const work = useWork();
  const [adding, setAdding] = useState(false);
  const [link, setLink] = useState<{ name: string; address: string } | null>(null);
  const change = (account: Account, what: Parameters<typeof changeAccount>[1]) => void work.run(() => changeAccount(account.id, what)).then(again);
  const reset = async (account: Account) => {
    const made = await work.run(() => resetAccount(account.id));
    if (made) setLink({ name: account.name, address: window.location.origin + made.link });
  };
  const columns: TableColumn<Account>[] = [
    { name: 'name', title: t('account.name'), head: true, value: (row) => row.name, show: (row) => <span>{row.name}<br /><span className="muted small">{row.email}</span></span> },
    { name: 'state', title: t('keys.state'), show: (row) => <span className="row" style={{ gap: 4 }}>{row.disabled ? <span className="tag tag-bad"><span aria-hidden="true">✕</span>{t('service.off')}</span> : <span className="tag tag-good"><span aria-hidden="true">✓</span>{t('service.on')}</span>}{row.admin && <span className="tag tag-accent">{t('service.admin')}</span>}</span> },
    { name: 'login', title: t('service.login'), show: (row) => [row.password && t('signIn.password'), row.totp && t('mine.totp'), row.oidc && t('signIn.company')].filter(Boolean).join(', ') || NOTHING },
    { name: 'last', title: t('service.last'), value: (row) => row.last_login_at, show: (row) => formatTime(row.last_login_at) },
    {
      name: 'do', title: t('people.do'), show: (row) => (
        <span className="row row-wrap">
          <button type="button" className="button button-small" disabled={work.busy} aria-label={t('service.linkFor', { name: row.name })} onClick={() => void reset(row)}>{t('service.link')}</button>
          {/* One cannot lock oneself out. */}
          {row.id !== me?.id && <button type="button" className="button button-small" disabled={work.busy} onClick={() => change(row, { admin: !row.admin })}>{row.admin ? t('service.noAdmin') : t('service.makeAdmin')}</button>}
          {row.id !== me?.id && <button type="button" className="button button-small" disabled={work.busy} onClick={() => change(row, { disabled: !row.disabled })}>{row.disabled ? t('service.switchOn') : t('service.switchOff')}</button>}
        </span>
      ),
    },
  ];
  return (
    <section className="panel" aria-label={t('service.accounts')}>
      <div className="panel-head"><h2>{t('service.accounts')}</h2><button type="button" className="button button-primary" onClick={() => setAdding(true)}><Icon name="plus" />{t('service.add')}</button></div>
      <div className="panel-body stack-tight">
        {work.error && <ErrorNote error={work.error} />}
        {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={320} /> : <DataTable label={t('service.accounts')} columns={columns} rows={answer.accounts} rowKey={(row) => row.id} height_px={720} />}
        {answer && <Pager total={answer.total} offset={offset} page_rows={PAGE_ROWS} onPage={(next) => changeQuery({ offset: next ? String(next) : null })} />}
      </div>
      {adding && <AddDialog onClose={() => setAdding(false)} onMade={(made) => { setAdding(false); again(); setLink(made); }} />}
      {link && (
        <Dialog title={t('service.link')} onClose={() => setLink(null)}>
          <p>{t('people.new.link', { name: link.name })}</p><CopyBox title={t('invite.link')} text={link.address} />
          <div className="dialog-foot"><button type="button" className="button button-primary" onClick={() => setLink(null)}>{t('keys.done')}</button></div>
        </Dialog>
      )}
    </section>
  );
}

function AddDialog({ onClose, onMade }: { onClose: () => void; onMade: (made: { name: string; address: string }) => void }) {
  const work = useWork();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [admin, setAdmin] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const made = await work.run(() => createAccount({ name, email, admin }));
    if (made) onMade({ name: made.account.name, address: window.location.origin + made.link });
  };
  return (
    <Dialog title={t('service.add')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label className="field"><span>{t('account.name')}</span><input className="input" required maxLength={80} value={name} onChange={(event) => setName(event.target.value)} /></label>
        <label className="field"><span>{t('signIn.email')}</span><input className="input" type="email" required value={email} onChange={(event) => setEmail(event.target.value)} /></label>
        <label className="check"><input type="checkbox" checked={admin} onChange={(event) => setAdmin(event.target.checked)} />{t('service.isAdmin')}</label>
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot"><button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button><button type="submit" className="button button-primary" disabled={work.busy}>{t('service.add')}</button></div>
      </form>
    </Dialog>
  );
}
