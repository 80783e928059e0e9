// Requests that take two people: lifting a pseudonym, lowering the group size, erasing the project. Who asks cannot approve.
import { type FormEvent, useState } from 'react';
import type { RequestKind, TwoPersonRequest } from '../../client';
import { askRequest, decideRequest, privacyPath } from '../../client/privacy';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, PartFailure, Waiting } from '../../components/Notice';
import { formatTime, NOTHING } from '../../format';
import { useMe } from '../../state/account';
import { useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';

const KINDS: RequestKind[] = ['reidentify', 'lower_k', 'erase_project'];
const SIGNS: Record<TwoPersonRequest['state'], { sign: string; className: string }> = {
  open: { sign: '…', className: 'tag-accent' }, approved: { sign: '✓', className: 'tag-good' }, refused: { sign: '✕', className: 'tag-bad' }, expired: { sign: '–', className: '' },
};

export function Requests() {
  const project = useProject();
  const me = useMe().me?.account;
  const work = useWork();
  const { answer, error, again } = useAnswer(privacyPath.requests(project.slug));
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState<string | null>(null);
  const decide = (request: TwoPersonRequest, decision: 'approve' | 'refuse') => void work.run(() => decideRequest(project.slug, request.id, decision)).then(again);
  const columns: TableColumn<TwoPersonRequest>[] = [
    { name: 'kind', title: t('requests.what'), head: true, show: (row) => <span>{t(`requests.${row.kind}`)}{row.value !== null && ` → ${row.value}`}{row.subject && <><br /><code className="small muted">{row.subject}</code></>}</span> },
    { name: 'reason', title: t('requests.reason'), wrap: true, show: (row) => row.reason || NOTHING },
    { name: 'asked', title: t('requests.asked'), show: (row) => <span>{row.asked_by.name}<br /><span className="muted small">{formatTime(row.asked_at)}</span></span> },
    { name: 'state', title: t('keys.state'), show: (row) => <span className={`tag ${SIGNS[row.state].className}`}><span aria-hidden="true">{SIGNS[row.state].sign}</span>{t(`requests.state.${row.state}`)}</span> },
    { name: 'decided', title: t('requests.decided'), show: (row) => row.decided_by?.name ?? NOTHING },
    {
      name: 'do', title: t('people.do'), show: (row) => {
        if (row.state === 'approved' && row.kind === 'reidentify') return <button type="button" className="button button-small" onClick={() => setShown(row.id)}>{t('requests.show')}</button>;
        if (row.state !== 'open') return '';
        if (row.asked_by.id === me?.id) return <span className="row"><span className="muted small">{t('requests.other')}</span><button type="button" className="button button-small" disabled={work.busy} onClick={() => decide(row, 'refuse')}>{t('requests.withdraw')}</button></span>;
        return <span className="row"><button type="button" className="button button-small button-primary" disabled={work.busy} onClick={() => decide(row, 'approve')}>{t('requests.approve')}</button><button type="button" className="button button-small" disabled={work.busy} onClick={() => decide(row, 'refuse')}>{t('requests.refuse')}</button></span>;
      },
    },
  ];
  const ask = <button type="button" className="button button-primary" onClick={() => setAsking(true)}><Icon name="plus" />{t('requests.ask')}</button>;
  return (
    <section className="panel" aria-label={t('privacy.requests')}>
      <div className="panel-head"><h2>{t('privacy.requests')}</h2>{answer && answer.requests.length > 0 && ask}</div>
      <div className="panel-body stack-tight">
        <p className="muted">{t('requests.text')}</p>
        {work.error && <ErrorNote error={work.error} />}
        {error ? <PartFailure error={error} again={again} /> : !answer ? <Waiting height={200} />
          : answer.requests.length === 0 ? <Empty icon="people" title={t('requests.none')} actions={ask}>{t('requests.none.text')}</Empty>
          : <DataTable label={t('privacy.requests')} columns={columns} rows={answer.requests} rowKey={(row) => row.id} height_px={640} />}
      </div>
      {asking && <AskDialog onClose={() => { setAsking(false); again(); }} />}
      {shown && <PersonDialog id={shown} onClose={() => setShown(null)} />}
    </section>
  );
}

function AskDialog({ onClose }: { onClose: () => void }) {
  const project = useProject();
  const work = useWork();
  const [kind, setKind] = useState<RequestKind>('reidentify');
  const [subject, setSubject] = useState('');
  const [k, setK] = useState('');
  const [reason, setReason] = useState('');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wish = { kind, subject: kind === 'reidentify' ? subject : null, value: kind === 'lower_k' ? Number(k) : null, reason };
    if (await work.run(() => askRequest(project.slug, wish))) onClose();
  };
  return (
    <Dialog title={t('requests.ask')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label className="field"><span>{t('requests.what')}</span><select className="input" value={kind} onChange={(event) => setKind(event.target.value as RequestKind)}>{KINDS.map((one) => <option key={one} value={one}>{t(`requests.${one}`)}</option>)}</select></label>
        {kind === 'reidentify' && <label className="field"><span>{t('requests.subject')}</span><input className="input mono" required value={subject} onChange={(event) => setSubject(event.target.value.trim())} /></label>}
        {kind === 'lower_k' && <label className="field"><span>{t('new.k')}</span><input className="input" type="number" required min={1} max={project.min_group_size - 1} value={k} onChange={(event) => setK(event.target.value)} /></label>}
        <label className="field"><span>{t('requests.reason')}</span><textarea className="input" required rows={3} maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} /></label>
        <p className="muted small">{t('requests.notice')}</p>
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot"><button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button><button type="submit" className="button button-primary" disabled={work.busy}>{t('requests.ask')}</button></div>
      </form>
    </Dialog>
  );
}

function PersonDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const project = useProject();
  const { answer, error } = useAnswer(privacyPath.request(project.slug, id));
  return (
    <Dialog title={t('requests.person')} onClose={onClose}>
      {error ? <ErrorNote error={error} /> : !answer ? <Waiting height={80} />
        : answer.person ? <><p><strong>{answer.person.name}</strong><br />{answer.person.email}</p><p className="muted small">{t('requests.day')}</p></>
        : <p className="note">{t('requests.over')}</p>}
    </Dialog>
  );
}
