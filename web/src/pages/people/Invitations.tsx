// People who are asked to take part, each with a link of their own. The links are shown once, right after inviting.
import { useRef, useState } from 'react';
import type { Invitation, InvitationState, NewInvitations } from '../../client';
import { invite, peoplePath, revokeInvitation } from '../../client/people';
import { CopyButton } from '../../components/Copy';
import { Confirm } from '../../components/Confirm';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { Pager } from '../../components/Pager';
import { formatDay, NOTHING } from '../../format';
import { saveFile } from '../../format/save';
import { useAnswer } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { countPeople, linksAsCsv } from './csv';

const PAGE_ROWS = 100;
const SIGNS: Record<InvitationState, { sign: string; className: string }> = {
  invited: { sign: '…', className: 'tag-accent' }, enrolled: { sign: '✓', className: 'tag-good' },
  expired: { sign: '–', className: '' }, revoked: { sign: '✕', className: 'tag-bad' },
};

export function Invitations() {
  const project = useProject();
  const { query } = usePlace();
  const offset = Math.max(0, Number(query.get('offset')) || 0);
  const { answer, error, again } = useAnswer(peoplePath.invitations(project.slug, PAGE_ROWS, offset));
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<Invitation | null>(null);
  const columns: TableColumn<Invitation>[] = [
    { name: 'name', title: t('invite.person'), head: true, value: (one) => one.name, show: (one) => one.name },
    { name: 'email', title: t('invite.email'), value: (one) => one.email, show: (one) => one.email ?? NOTHING },
    { name: 'team', title: t('invite.team'), value: (one) => one.team, show: (one) => one.team ?? NOTHING },
    { name: 'state', title: t('keys.state'), value: (one) => one.state, show: (one) => <span className={`tag ${SIGNS[one.state].className}`}><span aria-hidden="true">{SIGNS[one.state].sign}</span>{t(`invite.state.${one.state}`)}</span> },
    { name: 'expires', title: t('invite.expires'), value: (one) => one.expires_at, show: (one) => formatDay(one.expires_at) },
    { name: 'do', title: t('people.do'), show: (one) => (one.state === 'invited' ? <button type="button" className="button button-small" aria-label={t('invite.revokeWho', { name: one.name })} onClick={() => setRevoking(one)}>{t('keys.revoke')}</button> : '') },
  ];
  const add = <button type="button" className="button button-primary" onClick={() => setAdding(true)}><Icon name="plus" />{t('invite.add')}</button>;
  return (
    <section className="panel" aria-label={t('people.invitations')}>
      <div className="panel-head"><h2>{t('people.invitations')}</h2>{answer && answer.total > 0 && add}</div>
      <div className="panel-body stack-tight">
        <p className="muted">{t('invite.text')}</p>
        {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={200} />
          : answer.total === 0 ? <Empty icon="people" title={t('invite.none')} actions={add}>{t('invite.none.text')}</Empty>
          : <DataTable label={t('people.invitations')} columns={columns} rows={answer.invitations} rowKey={(one) => one.id} height_px={640} />}
        {answer && <Pager total={answer.total} offset={offset} page_rows={PAGE_ROWS} onPage={(next) => changeQuery({ offset: next ? String(next) : null })} />}
      </div>
      {adding && <InviteDialog onClose={() => { setAdding(false); again(); }} />}
      {revoking && (
        <Confirm title={t('invite.revokeWho', { name: revoking.name })} action={t('keys.revoke')} onClose={() => { setRevoking(null); again(); }} onConfirm={() => revokeInvitation(project.slug, revoking.id)}>
          <p>{t('invite.revoke.text')}</p>
        </Confirm>
      )}
    </section>
  );
}

function InviteDialog({ onClose }: { onClose: () => void }) {
  const project = useProject();
  const work = useWork();
  const input = useRef<HTMLInputElement>(null);
  const [csv, setCsv] = useState('');
  const [made, setMade] = useState<NewInvitations | null>(null);
  if (made) return <LinksDialog made={made} onClose={onClose} />;
  const people = countPeople(csv);
  return (
    <Dialog title={t('invite.add')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); void work.run(() => invite(project.slug, csv)).then(setMade); }}>
        <label className="field"><span>{t('invite.csv')}</span>
          <textarea className="input mono" rows={8} value={csv} placeholder={'Dora Lind, dora@example.org, Tax'} onChange={(event) => setCsv(event.target.value)} />
          <small className="muted">{t('invite.csv.note')}</small>
        </label>
        <input ref={input} type="file" accept=".csv,text/csv,text/plain" hidden onChange={(event) => { void event.target.files?.[0]?.text().then(setCsv); event.target.value = ''; }} />
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot">
          <button type="button" className="button" style={{ marginInlineEnd: 'auto' }} onClick={() => input.current?.click()}>{t('invite.file')}</button>
          <button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button>
          <button type="submit" className="button button-primary" disabled={work.busy || people === 0}>{t('invite.do', { count: people })}</button>
        </div>
      </form>
    </Dialog>
  );
}

function LinksDialog({ made, onClose }: { made: NewInvitations; onClose: () => void }) {
  const people = made.invitations.map((one) => ({ ...one, link: window.location.origin + one.link }));
  const csv = linksAsCsv(people);
  return (
    <Dialog wide title={t('invite.links')} onClose={onClose}>
      <p>{t('invite.links.text')}</p>
      {made.rejects.length > 0 && (
        <div className="note note-warm" role="note">
          <Icon name="warning" />
          <div><strong>{t('invite.rejects', { count: made.rejects.length })}</strong>{made.rejects.map(({ line, reason }) => <div key={line}>{t('invite.line', { line, reason })}</div>)}</div>
        </div>
      )}
      <ul className="link-list">
        {people.map((one) => (
          <li key={one.id} className="row"><span className="grow truncate">{one.name}</span><code className="truncate muted">{one.link}</code><CopyButton text={one.link} label={t('invite.copyLink', { name: one.name })} /></li>
        ))}
      </ul>
      <div className="dialog-foot">
        <CopyButton text={csv} label={t('invite.copyAll')} />
        <button type="button" className="button" onClick={() => saveFile(new Blob([csv], { type: 'text/csv' }), 'invitations.csv')}><Icon name="download" size={16} />{t('invite.download')}</button>
        <button type="button" className="button button-primary" onClick={onClose}>{t('keys.done')}</button>
      </div>
    </Dialog>
  );
}
