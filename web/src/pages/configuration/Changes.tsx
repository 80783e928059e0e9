// What would change for people: the sentences of the check, who is affected, whether everybody must be asked again, and the lines.
import { Icon } from '../../components/Icon';
import { Empty } from '../../components/Notice';
import type { Check, PolicyChange } from '../../client';
import { t } from '../../text';
import { Diff } from './Diff';
import { useDraft } from './draft';

export function Changes({ published }: { published: string }) {
  const draft = useDraft();
  if (published === '') return <div className="panel"><Empty icon="timeline" title={t('changes.first')}>{t('changes.first.text')}</Empty></div>;
  return (
    <section className="panel" aria-label={t('configuration.changes')}>
      <div className="panel-head"><h2>{t('changes.title')}</h2></div>
      <div className="panel-body stack">
        {draft.check && <ChangeSummary check={draft.check} />}
        <Diff old={published} now={draft.text} label={t('changes.lines')} />
      </div>
    </section>
  );
}

/** "3 applications added" and so on, with who is affected. */
export function ChangeSummary({ check }: { check: Check }) {
  return (
    <div className="stack-tight">
      <ChangeList changes={check.changes} />
      <p><strong>{t('changes.affected', { count: check.affected.people, clients: check.affected.clients })}</strong></p>
      {check.consent_must_rise && <div className="note note-warm" role="note"><Icon name="warning" /><span>{t('consent.mustRise')}</span></div>}
    </div>
  );
}

export function ChangeList({ changes }: { changes: PolicyChange[] }) {
  if (changes.length === 0) return <p className="muted">{t('changes.none')}</p>;
  return (
    <ul className="change-list">
      {changes.map((change, index) => (
        <li key={index}>{change.widens ? <span className="tag tag-warm"><span aria-hidden="true">▲</span>{t('changes.widens')}</span> : <span className="tag"><span aria-hidden="true">·</span>{t('changes.keeps')}</span>} {change.text}</li>
      ))}
    </ul>
  );
}
