// The app keys of a project: make one (shown once, with install lines), revoke it, purge what it let in.
import { type FormEvent, useState } from 'react';
import type { AppKey, NewAppKey } from '../../client';
import { createAppKey, peoplePath, purgeAppKey, revokeAppKey } from '../../client/people';
import { Confirm } from '../../components/Confirm';
import { CopyBox } from '../../components/Copy';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { formatDay, formatNumber } from '../../format';
import { useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { InstallLines } from './InstallLines';

export const KEY_DAYS = 90;
const KEY_DAYS_MAX = 365;

type KeyState = 'valid' | 'revoked' | 'expired' | 'used';
const SIGNS: Record<KeyState, { sign: string; className: string }> = {
  valid: { sign: '✓', className: 'tag-good' }, revoked: { sign: '✕', className: 'tag-bad' }, expired: { sign: '–', className: '' }, used: { sign: '–', className: '' },
};

function stateOf(key: AppKey): KeyState {
  if (key.revoked_at) return 'revoked';
  if (key.expires_at !== null && Date.parse(key.expires_at) < Date.now()) return 'expired';
  return key.uses_max !== null && key.uses >= key.uses_max ? 'used' : 'valid';
}

export function AppKeys() {
  const project = useProject();
  const { answer, error, again } = useAnswer(peoplePath.appKeys(project.slug));
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<{ key: AppKey; purge: boolean } | null>(null);
  const columns: TableColumn<AppKey>[] = [
    { name: 'name', title: t('keys.name'), head: true, value: (key) => key.name, show: (key) => key.name },
    { name: 'state', title: t('keys.state'), value: stateOf, show: (key) => <KeyTag state={stateOf(key)} /> },
    { name: 'approval', title: t('keys.approval'), value: (key) => key.approval, show: (key) => t(`keys.approval.${key.approval}`) },
    { name: 'uses', title: t('keys.uses'), numeric: true, value: (key) => key.uses, show: (key) => (key.uses_max === null ? formatNumber(key.uses) : t('keys.usesOf', { uses: key.uses, max: key.uses_max })) },
    { name: 'held', title: t('keys.held'), numeric: true, value: (key) => key.held, show: (key) => formatNumber(key.held) },
    { name: 'expires', title: t('keys.expires'), value: (key) => key.expires_at, show: (key) => formatDay(key.expires_at) },
    {
      name: 'do', title: t('people.do'), show: (key) => (
        <span className="row">
          {!key.revoked_at && <button type="button" className="button button-small" aria-label={t('keys.revokeWhich', { name: key.name })} onClick={() => setEnding({ key, purge: false })}>{t('keys.revoke')}</button>}
          <button type="button" className="button button-small" aria-label={t('keys.purgeWhich', { name: key.name })} onClick={() => setEnding({ key, purge: true })}>{t('keys.purge')}</button>
        </span>
      ),
    },
  ];
  const add = <button type="button" className="button button-primary" onClick={() => setAdding(true)}><Icon name="plus" />{t('keys.add')}</button>;
  return (
    <section className="panel" aria-label={t('people.keys')}>
      <div className="panel-head"><h2>{t('people.keys')}</h2>{answer && answer.app_keys.length > 0 && add}</div>
      <div className="panel-body stack-tight">
        <p className="muted">{t('keys.text')}</p>
        {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={200} />
          : answer.app_keys.length === 0 ? <Empty icon="key" title={t('keys.none')} actions={add}>{t('keys.none.text')}</Empty>
          : <DataTable label={t('people.keys')} columns={columns} rows={answer.app_keys} rowKey={(key) => key.id} height_px={640} />}
      </div>
      {adding && <AddDialog onClose={() => { setAdding(false); again(); }} />}
      {ending && (
        <Confirm
          title={t(ending.purge ? 'keys.purge.title' : 'keys.revoke.title', { name: ending.key.name })} action={t(ending.purge ? 'keys.purge' : 'keys.revoke')}
          onClose={() => { setEnding(null); again(); }}
          onConfirm={() => (ending.purge ? purgeAppKey(project.slug, ending.key.id) : revokeAppKey(project.slug, ending.key.id))}
        >
          <p>{t(ending.purge ? 'keys.purge.text' : 'keys.revoke.text')}</p>
        </Confirm>
      )}
    </section>
  );
}

function KeyTag({ state }: { state: KeyState }) {
  const { sign, className } = SIGNS[state];
  return <span className={`tag ${className}`}><span aria-hidden="true">{sign}</span>{t(`keys.state.${state}`)}</span>;
}

function AddDialog({ onClose }: { onClose: () => void }) {
  const project = useProject();
  const work = useWork();
  const [name, setName] = useState('');
  const [days, setDays] = useState(String(KEY_DAYS));
  const [most, setMost] = useState('');
  const [approval, setApproval] = useState<AppKey['approval']>('auto');
  const [range, setRange] = useState('');
  const [made, setMade] = useState<NewAppKey | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wish = { name, days: Number(days), uses_max: most ? Number(most) : null, approval, address_range: range || null };
    setMade(await work.run(() => createAppKey(project.slug, wish)));
  };
  if (made) {
    return (
      <Dialog wide title={made.app_key.name} onClose={onClose}>
        <div className="note note-warm" role="note"><Icon name="warning" /><span>{t('keys.once')}</span></div>
        <CopyBox title={t('keys.key')} text={made.key} />
        <InstallLines install={made.install} />
        <div className="dialog-foot"><button type="button" className="button button-primary" onClick={onClose}>{t('keys.done')}</button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('keys.add')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label className="field"><span>{t('keys.name')}</span>
          <input className="input" required maxLength={80} value={name} onChange={(event) => setName(event.target.value)} /><small className="muted">{t('keys.name.note')}</small>
        </label>
        <div className="two-fields">
          <label className="field"><span>{t('keys.days')}</span><input className="input" type="number" required min={1} max={KEY_DAYS_MAX} value={days} onChange={(event) => setDays(event.target.value)} /></label>
          <label className="field"><span>{t('keys.usesMax')}</span>
            <input className="input" type="number" min={1} value={most} onChange={(event) => setMost(event.target.value)} /><small className="muted">{t('keys.usesMax.note')}</small>
          </label>
        </div>
        <label className="field"><span>{t('keys.approval')}</span>
          <select className="input" value={approval} onChange={(event) => setApproval(event.target.value as AppKey['approval'])}>
            <option value="auto">{t('keys.approval.auto')}</option><option value="hold">{t('keys.approval.hold')}</option>
          </select>
        </label>
        <label className="field"><span>{t('keys.range')}</span>
          <input className="input mono" value={range} onChange={(event) => setRange(event.target.value.trim())} /><small className="muted">{t('keys.range.note')}</small>
        </label>
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button>
          <button type="submit" className="button button-primary" disabled={work.busy}>{t('keys.create')}</button>
        </div>
      </form>
    </Dialog>
  );
}
