// What one manages about oneself: name, password, second factor, where one is signed in, tokens for programs.
import { type FormEvent, type ReactNode, useState } from 'react';
import '../../text/service';
import type { ApiToken, LoginSession } from '../../client';
import { accessPath, beginTotp, changeName, changePassword, confirmTotp, createToken, deleteToken, endSession, endTotp } from '../../client/access';
import { CopyBox } from '../../components/Copy';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { formatDay, formatTime, NOTHING } from '../../format';
import { browserOf } from '../../format/browser';
import { refreshMe, useMe } from '../../state/account';
import { useAnswer } from '../../state/answers';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { NewPasswordField } from '../access/PasswordField';

const TOKEN_DAYS = 90;
const TOKEN_DAYS_MAX = 365;

export default function MyAccount() {
  const account = useMe().me?.account;
  if (!account) return null;
  return (
    <div className="grid">
      <div className="span-6 stack">
        <NamePanel name={account.name} email={account.email} />
        {account.password && <PasswordPanel />}
        <TotpPanel on={account.totp} />
      </div>
      <div className="span-6 stack"><Sessions /><Tokens /></div>
    </div>
  );
}

function Panel({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head"><h2>{title}</h2>{action}</div>
      <div className="panel-body stack-tight">{children}</div>
    </section>
  );
}

function NamePanel({ name: present, email }: { name: string; email: string }) {
  const work = useWork();
  const [name, setName] = useState(present);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await work.run(() => changeName(name.trim()))) await refreshMe();
  };
  return (
    <Panel title={t('mine.who')}>
      <form className="stack-tight" onSubmit={(event) => void submit(event)}>
        <p className="muted">{email}</p>
        <label className="field"><span>{t('account.name')}</span><input className="input" required maxLength={80} autoComplete="name" value={name} onChange={(event) => setName(event.target.value)} /></label>
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot"><button type="submit" className="button" disabled={work.busy || name.trim() === present}>{t('action.save')}</button></div>
      </form>
    </Panel>
  );
}

function PasswordPanel() {
  const work = useWork();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [changed, setChanged] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await work.run(async () => { await changePassword(current, password); return true; });
    setChanged(done !== null);
    if (done) { setCurrent(''); setPassword(''); }
  };
  return (
    <Panel title={t('signIn.password')}>
      <form className="stack-tight" onSubmit={(event) => void submit(event)}>
        <label className="field"><span>{t('mine.current')}</span><input className="input" type="password" required autoComplete="current-password" value={current} onChange={(event) => setCurrent(event.target.value)} /></label>
        <NewPasswordField label={t('password.new')} value={password} onChange={setPassword} />
        {work.error && <ErrorNote error={work.error} />}
        {changed && <p role="status" className="note note-good"><Icon name="check" />{t('mine.changed')}</p>}
        <div className="dialog-foot"><button type="submit" className="button" disabled={work.busy}>{t('mine.change')}</button></div>
      </form>
    </Panel>
  );
}

function TotpPanel({ on }: { on: boolean }) {
  const work = useWork();
  const [secret, setSecret] = useState<{ secret: string; uri: string } | null>(null);
  const [code, setCode] = useState('');
  const [recovery, setRecovery] = useState<string[] | null>(null);
  const begin = async () => setSecret(await work.run(beginTotp));
  const confirm = async (event: FormEvent) => {
    event.preventDefault();
    const done = await work.run(() => confirmTotp(code));
    if (!done) return;
    setRecovery(done.recovery_codes);
    setSecret(null);
    setCode('');
    await refreshMe();
  };
  const end = async (event: FormEvent) => {
    event.preventDefault();
    if (await work.run(async () => { await endTotp(code); return true; })) { setCode(''); await refreshMe(); }
  };
  const codeField = (
    <label className="field"><span>{t('signIn.code')}</span><input className="input mono" inputMode="numeric" autoComplete="one-time-code" required value={code} onChange={(event) => setCode(event.target.value.trim())} /></label>
  );
  return (
    <Panel title={t('mine.totp')} action={<span className={`tag ${on ? 'tag-good' : ''}`}><span aria-hidden="true">{on ? '✓' : '–'}</span>{on ? t('mine.totp.on') : t('mine.totp.off')}</span>}>
      <p className="muted">{t('mine.totp.text')}</p>
      {recovery && <><div className="note note-warm" role="note"><Icon name="warning" /><span>{t('mine.totp.recovery')}</span></div><CopyBox title={t('mine.totp.codes')} text={recovery.join('\n')} /></>}
      {work.error && <ErrorNote error={work.error} />}
      {!on && !secret && <div><button type="button" className="button" disabled={work.busy} onClick={() => void begin()}>{t('mine.totp.begin')}</button></div>}
      {secret && (
        <form className="stack-tight" onSubmit={(event) => void confirm(event)}>
          <CopyBox title={t('mine.totp.secret')} text={secret.secret} />
          <CopyBox title={t('mine.totp.uri')} text={secret.uri} />
          {codeField}
          <div className="dialog-foot"><button type="submit" className="button button-primary" disabled={work.busy}>{t('mine.totp.confirm')}</button></div>
        </form>
      )}
      {on && !recovery && <form className="stack-tight" onSubmit={(event) => void end(event)}>{codeField}<div className="dialog-foot"><button type="submit" className="button button-bad" disabled={work.busy}>{t('mine.totp.end')}</button></div></form>}
    </Panel>
  );
}

function Sessions() {
  const { answer, error, again } = useAnswer(accessPath.sessions());
  const work = useWork();
  const end = async (session: LoginSession) => {
    await work.run(() => endSession(session.id));
    if (session.current) await refreshMe();
    else again();
  };
  const columns: TableColumn<LoginSession>[] = [
    { name: 'where', title: t('mine.sessions.where'), head: true, show: (row) => <span title={row.user_agent}>{browserName(row.user_agent)}<br /><span className="muted small">{row.address}</span></span> },
    { name: 'seen', title: t('mine.sessions.seen'), show: (row) => (row.current ? <span className="tag tag-good"><span aria-hidden="true">●</span>{t('mine.sessions.this')}</span> : formatTime(row.seen_at)) },
    { name: 'do', title: t('people.do'), show: (row) => <button type="button" className="button button-small" disabled={work.busy} onClick={() => void end(row)}>{t('mine.sessions.end')}</button> },
  ];
  return (
    <Panel title={t('mine.sessions')}>
      {work.error && <ErrorNote error={work.error} />}
      {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting /> : <DataTable label={t('mine.sessions')} columns={columns} rows={answer.sessions} rowKey={(row) => row.id} height_px={320} />}
    </Panel>
  );
}

function browserName(userAgent: string): string {
  const browser = browserOf(userAgent);
  if (!browser) return userAgent;
  return browser.system ? t('mine.sessions.browser', { ...browser, system: browser.system }) : `${browser.name} ${browser.version}`;
}

function Tokens() {
  const { answer, error, again } = useAnswer(accessPath.tokens());
  const work = useWork();
  const [adding, setAdding] = useState(false);
  const columns: TableColumn<ApiToken>[] = [
    { name: 'name', title: t('keys.name'), head: true, show: (row) => row.name },
    { name: 'project', title: t('mine.tokens.project'), show: (row) => row.project ?? t('mine.tokens.all') },
    { name: 'may', title: t('mine.tokens.may'), show: (row) => (row.read_only ? t('mine.tokens.read') : t('mine.tokens.write')) },
    { name: 'used', title: t('mine.tokens.used'), show: (row) => (row.last_used_at ? formatTime(row.last_used_at) : NOTHING) },
    { name: 'until', title: t('keys.expires'), show: (row) => formatDay(row.expires_at) },
    { name: 'do', title: t('people.do'), show: (row) => <button type="button" className="button button-small" aria-label={t('keys.revokeWhich', { name: row.name })} disabled={work.busy} onClick={() => void work.run(() => deleteToken(row.id)).then(again)}>{t('keys.revoke')}</button> },
  ];
  return (
    <Panel title={t('mine.tokens')} action={<button type="button" className="button" onClick={() => setAdding(true)}><Icon name="plus" size={16} />{t('mine.tokens.add')}</button>}>
      <p className="muted">{t('mine.tokens.text')}</p>
      {work.error && <ErrorNote error={work.error} />}
      {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting />
        : answer.tokens.length === 0 ? <Empty icon="key" title={t('mine.tokens.none')}>{t('mine.tokens.none.text')}</Empty>
        : <DataTable label={t('mine.tokens')} columns={columns} rows={answer.tokens} rowKey={(row) => row.id} height_px={320} />}
      {adding && <TokenDialog onClose={() => { setAdding(false); again(); }} />}
    </Panel>
  );
}

function TokenDialog({ onClose }: { onClose: () => void }) {
  const projects = useMe().me?.projects ?? [];
  const work = useWork();
  const [name, setName] = useState('');
  const [project, setProject] = useState('');
  const [days, setDays] = useState(String(TOKEN_DAYS));
  const [readOnly, setReadOnly] = useState(true);
  const [token, setToken] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const made = await work.run(() => createToken({ name, project: project || null, days: Number(days), read_only: readOnly }));
    if (made) setToken(made.token);
  };
  if (token) {
    return (
      <Dialog title={name} onClose={onClose}>
        <div className="note note-warm" role="note"><Icon name="warning" /><span>{t('mine.tokens.once')}</span></div>
        <CopyBox title={t('mine.tokens.token')} text={token} />
        <div className="dialog-foot"><button type="button" className="button button-primary" onClick={onClose}>{t('keys.done')}</button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('mine.tokens.add')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label className="field"><span>{t('keys.name')}</span><input className="input" required maxLength={80} value={name} onChange={(event) => setName(event.target.value)} /></label>
        <div className="two-fields">
          <label className="field"><span>{t('mine.tokens.project')}</span>
            <select className="input" value={project} onChange={(event) => setProject(event.target.value)}><option value="">{t('mine.tokens.all')}</option>{projects.map((one) => <option key={one.id} value={one.slug}>{one.name}</option>)}</select>
          </label>
          <label className="field"><span>{t('keys.days')}</span><input className="input" type="number" required min={1} max={TOKEN_DAYS_MAX} value={days} onChange={(event) => setDays(event.target.value)} /></label>
        </div>
        <label className="check"><input type="checkbox" checked={readOnly} onChange={(event) => setReadOnly(event.target.checked)} />{t('mine.tokens.readOnly')}</label>
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot"><button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button><button type="submit" className="button button-primary" disabled={work.busy}>{t('mine.tokens.create')}</button></div>
      </form>
    </Dialog>
  );
}
