// Says what a case is in this project, and lets one change it. The figures then follow by themselves.
import { useState } from 'react';
import { type CaseRule, changeCaseRule, path, type ServiceError } from '../client';
import { asServiceError, forgetAnswers, useAnswer } from '../state/answers';
import { useProject } from '../state/project';
import { t } from '../text';
import { Dialog } from './Dialog';
import { Icon } from './Icon';
import { ErrorNote } from './Notice';

const KINDS = ['auto', 'case_id', 'session', 'rule'] as const;
type Kind = (typeof KINDS)[number];
const NAMES = { auto: 'case.auto', case_id: 'case.caseId', session: 'case.session', rule: 'case.rule' } as const;
const NOTES = { auto: 'case.auto.note', case_id: 'case.caseId.note', session: 'case.session.note', rule: 'case.rule.note' } as const;

const kindOf = (rule: CaseRule): Kind => (typeof rule === 'string' ? rule : 'rule');

export function CaseRuleButton() {
  const project = useProject();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button button-quiet button-small" onClick={() => setOpen(true)}>
        <Icon name="cases" size={16} />{t('case.button', { rule: t(NAMES[kindOf(project.case_rule)]) })}
      </button>
      {open && <CaseRuleDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function CaseRuleDialog({ onClose }: { onClose: () => void }) {
  const project = useProject();
  const now = project.case_rule;
  const [kind, setKind] = useState<Kind>(kindOf(now));
  const [start, setStart] = useState(typeof now === 'string' ? '' : now.start_activity ?? '');
  const [end, setEnd] = useState(typeof now === 'string' ? '' : now.end_activity ?? '');
  const [error, setError] = useState<ServiceError | null>(null);
  const activities = useAnswer(path.analysis(project.slug, 'process_nodes', { limit: 2000 })).answer;
  const names = activities?.rows.map((row) => String(row[0])) ?? [];

  const save = async () => {
    try {
      await changeCaseRule(project.slug, kind === 'rule' ? { ...(start && { start_activity: start }), ...(end && { end_activity: end }) } : kind);
      forgetAnswers();
      onClose();
    } catch (cause) {
      setError(asServiceError(cause));
    }
  };
  return (
    <Dialog title={t('case.title')} onClose={onClose}>
      <p className="muted">{t('case.text')}</p>
      <div role="radiogroup" aria-label={t('case.title')} className="stack-tight">
        {KINDS.map((one) => (
          <label key={one} className="check" style={{ alignItems: 'flex-start' }}>
            <input type="radio" name="case-rule" checked={kind === one} onChange={() => setKind(one)} style={{ marginTop: 3 }} />
            <span><strong>{t(NAMES[one])}</strong><br /><span className="muted small">{t(NOTES[one])}</span></span>
          </label>
        ))}
      </div>
      {kind === 'rule' && (
        <div className="row row-wrap">
          <ActivityField label={t('case.start')} value={start} names={names} onChange={setStart} />
          <ActivityField label={t('case.end')} value={end} names={names} onChange={setEnd} />
        </div>
      )}
      {error && <ErrorNote error={error} />}
      <div className="dialog-foot">
        <button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button>
        <button type="button" className="button button-primary" disabled={kind === 'rule' && !start && !end} onClick={() => void save()}>{t('case.save')}</button>
      </div>
    </Dialog>
  );
}

function ActivityField({ label, value, names, onChange }: { label: string; value: string; names: string[]; onChange: (value: string) => void }) {
  return (
    <label className="field grow"><span>{label}</span>
      <select className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{t('case.choose')}</option>
        {names.map((name) => <option key={name}>{name}</option>)}
      </select>
    </label>
  );
}
