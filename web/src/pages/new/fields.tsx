// The questions of the wizard, one component per step.
import { Chips } from '../../components/Chips';
import type { Preset } from '../../client';
import { t } from '../../text';
import { cleanSite, COMMON_APPS, GROUP_SIZE, isBrowser, isLong, USUAL, type Wish } from './wish';

interface StepProps { wish: Wish; onChange: (wish: Wish) => void }

const PRESETS: Preset[] = ['standard', 'works_council'];
const GROUP_SIZE_MAX = 100;
const DAYS_MAX = 3_650;
const MONTHS_MAX = 120;

export function Purpose({ wish, onChange }: StepProps) {
  return (
    <>
      <label className="field"><span>{t('new.name')}</span>
        <input className="input" required autoFocus maxLength={80} value={wish.name} onChange={(event) => onChange({ ...wish, name: event.target.value })} /><small className="muted">{t('new.name.note')}</small>
      </label>
      <label className="field"><span>{t('new.purposes')}</span>
        <textarea className="input" required rows={3} value={wish.purposes} onChange={(event) => onChange({ ...wish, purposes: event.target.value })} /><small className="muted">{t('new.purposes.note')}</small>
      </label>
    </>
  );
}

export function Privacy({ wish, onChange }: StepProps) {
  const { retention } = wish;
  const days = (name: 'raw_days' | 'picture_days' | 'aggregate_months', most: number) => (
    <label className="field"><span>{t(`new.${name}`)}</span>
      <input className="input" type="number" required min={1} max={most} value={retention[name]} onChange={(event) => onChange({ ...wish, retention: { ...retention, [name]: Number(event.target.value) } })} />
    </label>
  );
  return (
    <>
      <div role="radiogroup" aria-label={t('new.preset')} className="stack-tight">
        <span className="label">{t('new.preset')}</span>
        {PRESETS.map((preset) => (
          <label key={preset} className="check new-preset">
            <input type="radio" name="preset" checked={wish.preset === preset} onChange={() => onChange({ ...wish, preset, min_group_size: GROUP_SIZE[preset] })} />
            <span><strong>{t(`new.preset.${preset}`)}</strong><br /><span className="muted small">{t(`new.preset.${preset}.text`)}</span></span>
          </label>
        ))}
      </div>
      <label className="field"><span>{t('new.k')}</span>
        <input className="input new-number-field" type="number" required min={GROUP_SIZE[wish.preset]} max={GROUP_SIZE_MAX} value={wish.min_group_size} onChange={(event) => onChange({ ...wish, min_group_size: Number(event.target.value) })} />
        <small className="muted">{t('new.k.note')}</small>
      </label>
      <div className="stack-tight" role="group" aria-label={t('new.retention')}>
        <span className="label">{t('new.retention')}</span>
        <div className="new-three">{days('raw_days', DAYS_MAX)}{days('picture_days', DAYS_MAX)}{days('aggregate_months', MONTHS_MAX)}</div>
        {isLong(retention) && (
          <label className="field"><span>{t('new.reason')}</span>
            <input className="input" required maxLength={500} value={retention.reason ?? ''} onChange={(event) => onChange({ ...wish, retention: { ...retention, reason: event.target.value || null } })} />
            <small className="muted">{t('new.reason.note', { count: USUAL.raw_days, pictures: USUAL.picture_days, months: USUAL.aggregate_months })}</small>
          </label>
        )}
      </div>
    </>
  );
}

export function Applications({ wish, onChange }: StepProps) {
  const toggle = (app: string) => onChange({ ...wish, apps: wish.apps.includes(app) ? wish.apps.filter((other) => other !== app) : [...wish.apps, app] });
  return (
    <>
      <div className="stack-tight" role="group" aria-label={t('new.apps.common')}>
        <span className="label">{t('new.apps.common')}</span>
        <div className="row row-wrap">
          {COMMON_APPS.map((app) => <button key={app} type="button" className="button button-small mono" aria-pressed={wish.apps.includes(app)} onClick={() => toggle(app)}>{wish.apps.includes(app) ? '✓ ' : '+ '}{app}</button>)}
        </div>
      </div>
      <Chips label={t('new.apps')} note={t('new.apps.note')} values={wish.apps} suggestions={COMMON_APPS} clean={(typed) => typed.trim().toLowerCase()} onChange={(apps) => onChange({ ...wish, apps })} />
      {wish.apps.some(isBrowser) && <Chips label={t('new.sites')} note={t('new.sites.note')} values={wish.sites} clean={cleanSite} onChange={(sites) => onChange({ ...wish, sites })} />}
    </>
  );
}
