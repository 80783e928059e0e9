// When and how somebody is told that a client has fallen silent.
import { useEffect, useState } from 'react';
import type { Alerts } from '../../client';
import { fleetPath, saveAlerts } from '../../client/fleet';
import { Chips } from '../../components/Chips';
import { Dialog } from '../../components/Dialog';
import { ErrorNote, PartFailure, Waiting } from '../../components/Notice';
import { useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';

const SILENCE_HOURS_MAX = 720;

export function AlertsDialog({ onClose }: { onClose: () => void }) {
  const project = useProject();
  const { answer, error, again } = useAnswer(fleetPath.alerts(project.slug));
  const [alerts, setAlerts] = useState<Alerts | null>(null);
  const work = useWork();
  useEffect(() => { if (answer) setAlerts(answer); }, [answer]);
  const save = async () => {
    if (!alerts || !(await work.run(() => saveAlerts(project.slug, alerts)))) return;
    again();
    onClose();
  };
  return (
    <Dialog title={t('clients.alerts')} onClose={onClose}>
      <p className="muted">{t('clients.alerts.text')}</p>
      {error ? <PartFailure error={error} again={again} /> : !alerts ? <Waiting height={160} /> : (
        <form className="stack" onSubmit={(event) => { event.preventDefault(); void save(); }}>
          <label className="field"><span>{t('clients.alerts.hours')}</span><input className="input" type="number" required min={1} max={SILENCE_HOURS_MAX} value={alerts.silence_hours} onChange={(event) => setAlerts({ ...alerts, silence_hours: Number(event.target.value) })} /></label>
          <Chips label={t('clients.alerts.email')} values={alerts.email ?? []} onChange={(email) => setAlerts({ ...alerts, email })} clean={(typed) => (/^\S+@\S+$/.test(typed) ? typed : '')} />
          <label className="check"><input type="checkbox" checked={alerts.webhook} onChange={(event) => setAlerts({ ...alerts, webhook: event.target.checked })} />{t('clients.alerts.webhook')}</label>
          {work.error && <ErrorNote error={work.error} />}
          <div className="dialog-foot"><button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button><button type="submit" className="button button-primary" disabled={work.busy}>{t('action.save')}</button></div>
        </form>
      )}
    </Dialog>
  );
}
