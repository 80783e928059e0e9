// Group size, how long data stay, purposes and key epochs. Raising the group size works at once; lowering it makes a request.
import { type FormEvent, useState } from 'react';
import type { Privacy } from '../../client';
import { changePrivacy, privacyPath } from '../../client/privacy';
import { Icon } from '../../components/Icon';
import { ErrorNote, PartFailure, Waiting } from '../../components/Notice';
import { formatDay } from '../../format';
import { useAnswer } from '../../state/answers';
import { may } from '../../state/permissions';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { isLong } from '../new/wish';

const GROUP_SIZE_MAX = 100;
const DAYS_MAX = 3_650;
const FIELDS = ['raw_days', 'picture_days', 'aggregate_months'] as const;

export function Protection() {
  const project = useProject();
  const { answer, error, again } = useAnswer(privacyPath.privacy(project.slug));
  if (error) return <section className="panel"><PartFailure error={error} again={again} /></section>;
  if (!answer) return <Waiting height={420} />;
  return (
    <div className="grid">
      <div className="span-7">{may('lead', project) ? <Form privacy={answer} onSaved={again} /> : <Facts privacy={answer} />}</div>
      <section className="panel span-5" aria-label={t('privacy.epochs')}>
        <div className="panel-head"><h2>{t('privacy.epochs')}</h2></div>
        <div className="panel-body stack-tight">
          <p className="muted">{t('privacy.epochs.text')}</p>
          <dl className="fact-rows small">{answer.key_epochs.map((one) => <div key={one.id}><dt>{one.id}</dt><dd>{one.retired_at ? t('privacy.epochs.retired', { day: formatDay(one.retired_at) }) : t('privacy.epochs.since', { day: formatDay(one.created_at) })}</dd></div>)}</dl>
        </div>
      </section>
    </div>
  );
}

function Facts({ privacy }: { privacy: Privacy }) {
  return (
    <section className="panel" aria-label={t('privacy.protection')}>
      <div className="panel-head"><h2>{t('privacy.protection')}</h2></div>
      <div className="panel-body">
        <dl className="fact-rows">
          <div><dt>{t('new.k')}</dt><dd>{privacy.min_group_size}</dd></div>
          {FIELDS.map((name) => <div key={name}><dt>{t(`new.${name}`)}</dt><dd>{privacy.retention[name]}</dd></div>)}
          {privacy.retention.reason && <div><dt>{t('new.reason')}</dt><dd>{privacy.retention.reason}</dd></div>}
          <div><dt>{t('privacy.purposes')}</dt><dd>{privacy.purposes.join('; ')}</dd></div>
        </dl>
      </div>
    </section>
  );
}

function Form({ privacy, onSaved }: { privacy: Privacy; onSaved: () => void }) {
  const project = useProject();
  const work = useWork();
  const [k, setK] = useState(privacy.min_group_size);
  const [retention, setRetention] = useState(privacy.retention);
  const [purposes, setPurposes] = useState(privacy.purposes.join('\n'));
  const [said, setSaid] = useState<'saved' | 'asked' | null>(null);
  const lower = k < privacy.min_group_size;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const list = purposes.split('\n').map((one) => one.trim()).filter(Boolean);
    const done = await work.run(() => changePrivacy(project.slug, { min_group_size: k, retention, purposes: list }));
    if (!done) return;
    setSaid(done.min_group_size === k ? 'saved' : 'asked');
    setK(done.min_group_size);
    onSaved();
  };
  return (
    <form className="panel" aria-label={t('privacy.protection')} onSubmit={(event) => void submit(event)}>
      <div className="panel-head"><h2>{t('privacy.protection')}</h2></div>
      <div className="panel-body stack">
        <label className="field"><span>{t('new.k')}</span><input className="input" style={{ maxWidth: 120 }} type="number" required min={1} max={GROUP_SIZE_MAX} value={k} onChange={(event) => { setK(Number(event.target.value)); setSaid(null); }} /><small className="muted">{t('new.k.note')}</small></label>
        {lower && <div className="note note-warm" role="note"><Icon name="warning" /><span>{t('privacy.lower')}</span></div>}
        <div className="two-fields">
          {FIELDS.map((name) => <label key={name} className="field"><span>{t(`new.${name}`)}</span><input className="input" type="number" required min={1} max={DAYS_MAX} value={retention[name]} onChange={(event) => { setRetention({ ...retention, [name]: Number(event.target.value) }); setSaid(null); }} /></label>)}
        </div>
        {isLong(retention) && <label className="field"><span>{t('new.reason')}</span><input className="input" required maxLength={500} value={retention.reason ?? ''} onChange={(event) => setRetention({ ...retention, reason: event.target.value || null })} /></label>}
        <label className="field"><span>{t('privacy.purposes')}</span><textarea className="input" required rows={3} value={purposes} onChange={(event) => { setPurposes(event.target.value); setSaid(null); }} /><small className="muted">{t('new.purposes.note')}</small></label>
        {work.error && <ErrorNote error={work.error} />}
        {said && <p role="status" className={`note ${said === 'saved' ? 'note-good' : 'note-warm'}`}><Icon name={said === 'saved' ? 'check' : 'people'} />{t(`privacy.${said}`)}</p>}
        <div className="dialog-foot"><button type="submit" className="button button-primary" disabled={work.busy}>{lower ? t('privacy.ask') : t('action.save')}</button></div>
      </div>
    </form>
  );
}
