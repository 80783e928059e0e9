// The members of a project with roles and grants. A change works at the service at once.
import { type FormEvent, useState } from 'react';
import type { Grant, Member, Role } from '../../client';
import { addMember, changeMember, peoplePath, removeMember } from '../../client/people';
import { Confirm } from '../../components/Confirm';
import { CopyBox } from '../../components/Copy';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { ErrorNote, Waiting } from '../../components/Notice';
import { formatDay } from '../../format';
import { useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';

const ROLES: Role[] = ['lead', 'analyst', 'viewer', 'council'];
const GRANTS: Grant[] = ['raw', 'pictures', 'identities'];

export function Members() {
  const project = useProject();
  const { answer, error, again } = useAnswer(peoplePath.members(project.slug));
  const [open, setOpen] = useState<Member | 'new' | null>(null);
  const [removing, setRemoving] = useState<Member | null>(null);
  const columns: TableColumn<Member>[] = [
    { name: 'name', title: t('people.member'), head: true, value: (row) => row.account.name, show: (row) => <span>{row.account.name}<br /><span className="muted small">{row.account.email}</span></span> },
    { name: 'role', title: t('people.role'), value: (row) => row.role, show: (row) => t(`role.${row.role}`) },
    { name: 'grants', title: t('people.grants'), show: (row) => (row.grants.length > 0 ? <span className="row row-wrap" style={{ gap: 4 }}>{row.grants.map((grant) => <span key={grant} className="tag">{t(`grant.${grant}`)}</span>)}</span> : <span className="muted">{t('people.none')}</span>) },
    { name: 'since', title: t('people.since'), value: (row) => row.since, show: (row) => formatDay(row.since) },
    { name: 'do', title: t('people.do'), show: (row) => <button type="button" className="button button-small" aria-label={t('people.changeWho', { name: row.account.name })} onClick={() => setOpen(row)}>{t('people.change')}</button> },
  ];
  const close = () => { setOpen(null); again(); };
  return (
    <section className="panel" aria-label={t('people.members')}>
      <div className="panel-head">
        <h2>{t('people.members')}</h2>
        <button type="button" className="button button-primary" onClick={() => setOpen('new')}><Icon name="plus" />{t('people.add')}</button>
      </div>
      <div className="panel-body stack-tight">
        <p className="muted">{t('people.add.text')}</p>
        {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={200} />
          : <DataTable label={t('people.members')} columns={columns} rows={answer.members} rowKey={(row) => row.account.id} height_px={640} />}
      </div>
      {open === 'new' && <AddDialog onClose={close} />}
      {open && open !== 'new' && <ChangeDialog member={open} onClose={close} onRemove={() => { setRemoving(open); setOpen(null); }} />}
      {removing && (
        <Confirm
          title={t('people.remove.title', { name: removing.account.name })} action={t('people.remove')} onClose={() => { setRemoving(null); again(); }}
          onConfirm={() => removeMember(project.slug, removing.account.id)}
        >
          <p>{t('people.remove.text')}</p>
        </Confirm>
      )}
    </section>
  );
}

function ChangeDialog({ member, onClose, onRemove }: { member: Member; onClose: () => void; onRemove: () => void }) {
  const project = useProject();
  const work = useWork();
  const [role, setRole] = useState(member.role);
  const [grants, setGrants] = useState(member.grants);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await work.run(() => changeMember(project.slug, member.account.id, role, grants))) onClose();
  };
  return (
    <Dialog title={member.account.name} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <RightsFields role={role} grants={grants} onRole={setRole} onGrants={setGrants} />
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot">
          <button type="button" className="button button-bad" style={{ marginInlineEnd: 'auto' }} onClick={onRemove}>{t('people.remove')}</button>
          <button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button>
          <button type="submit" className="button button-primary" disabled={work.busy}>{t('action.save')}</button>
        </div>
      </form>
    </Dialog>
  );
}

function AddDialog({ onClose }: { onClose: () => void }) {
  const project = useProject();
  const work = useWork();
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [grants, setGrants] = useState<Grant[]>([]);
  const [link, setLink] = useState<{ name: string; address: string } | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const made = await work.run(() => addMember(project.slug, { email, ...(name ? { name } : {}), role, grants }));
    if (made?.link) setLink({ name: made.account.name, address: window.location.origin + made.link });
    else if (made) onClose();
  };
  if (link) {
    return (
      <Dialog title={t('people.add')} onClose={onClose}>
        <p>{t('people.new.link', { name: link.name })}</p>
        <CopyBox title={t('invite.link')} text={link.address} />
        <div className="dialog-foot"><button type="button" className="button button-primary" onClick={onClose}>{t('keys.done')}</button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('people.add')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label className="field"><span>{t('signIn.email')}</span><input className="input" type="email" required value={email} onChange={(event) => setEmail(event.target.value)} /></label>
        <label className="field"><span>{t('account.name')}</span><input className="input" maxLength={80} value={name} onChange={(event) => setName(event.target.value)} /></label>
        <RightsFields role={role} grants={grants} onRole={setRole} onGrants={setGrants} />
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button>
          <button type="submit" className="button button-primary" disabled={work.busy}>{t('people.add')}</button>
        </div>
      </form>
    </Dialog>
  );
}

interface RightsFieldsProps { role: Role; grants: Grant[]; onRole: (role: Role) => void; onGrants: (grants: Grant[]) => void }

function RightsFields({ role, grants, onRole, onGrants }: RightsFieldsProps) {
  return (
    <>
      <div role="radiogroup" aria-label={t('people.role')} className="stack-tight">
        <span className="label">{t('people.role')}</span>
        {ROLES.map((one) => (
          <label key={one} className="check"><input type="radio" name="role" checked={role === one} onChange={() => onRole(one)} /><span>{t(`role.${one}`)} <span className="muted small">{t(`role.${one}.note`)}</span></span></label>
        ))}
      </div>
      <div role="group" aria-label={t('people.grants')} className="stack-tight">
        <span className="label">{t('people.grants')}</span>
        {GRANTS.map((one) => (
          <label key={one} className="check">
            <input type="checkbox" checked={grants.includes(one)} onChange={(event) => onGrants(event.target.checked ? [...grants, one] : grants.filter((other) => other !== one))} />
            <span>{t(`grant.${one}`)} <span className="muted small">{t(`grant.${one}.note`)}</span></span>
          </label>
        ))}
      </div>
    </>
  );
}
