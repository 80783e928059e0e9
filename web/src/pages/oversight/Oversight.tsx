// What the works council and the data protection officer see: what the configuration allows and how it changed, signed; that nothing is lost
// or hidden; the group size; the audit log. No content and no person stands here.
import '../../text/service';
import '../../text/configuration';
import { privacyPath } from '../../client/privacy';
import { AuditLog } from '../../components/AuditLog';
import { Icon, type IconName } from '../../components/Icon';
import { Empty, PartFailure, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { formatNumber, formatTime } from '../../format';
import { readRoute } from '../../routes';
import { useAnswer } from '../../state/answers';
import { usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { type PlainKey, t } from '../../text';
import { ChangeList } from '../configuration/Changes';

const PARTS: { name: string; title: PlainKey; icon: IconName }[] = [
  { name: 'summary', title: 'oversight.summary', icon: 'shield' },
  { name: 'audit', title: 'audit.title', icon: 'timeline' },
];

export default function Oversight() {
  const project = useProject();
  const part = readRoute(usePlace().path).part === 'audit' ? PARTS[1]! : PARTS[0]!;
  return (
    <div className="stack">
      <nav className="tabs" aria-label={t('oversight.parts')}>
        {PARTS.map((one) => <PageLink key={one.name} page="oversight" part={one.name} className="tab" current={one === part}><Icon name={one.icon} size={16} />{t(one.title)}</PageLink>)}
      </nav>
      {part.name === 'audit' ? <AuditLog slug={project.slug} /> : <Summary />}
    </div>
  );
}

function Summary() {
  const project = useProject();
  const { answer, error, again } = useAnswer(privacyPath.council(project.slug));
  if (error) return <section className="panel"><PartFailure error={error} again={again} /></section>;
  if (!answer) return <Waiting height={480} />;
  const { balance, retention } = answer;
  return (
    <div className="stack">
      <dl className="figures">
        <Figure title={t('new.k')} value={String(answer.k)} note={t('new.k.note')} />
        <Figure title={t('oversight.pictures')} value={answer.screenshots ? t('value.yes') : t('value.no')} note={t('oversight.pictures.note')} />
        <Figure title={t('oversight.text')} value={answer.text ? t('value.yes') : t('value.no')} note={t('oversight.text.note')} />
        <Figure title={t('oversight.lost')} value={formatNumber(balance.lost)} note={balance.lost > 0 ? t('oversight.missing') : balance.exact ? t('detail.balance.exact') : t('detail.balance.open')} />
      </dl>
      <div className="grid">
        <section className="panel span-7" aria-label={t('oversight.history')}>
          <div className="panel-head"><h2>{t('oversight.history')}</h2><PageLink page="configuration" className="button button-small">{t('oversight.revisions')}</PageLink></div>
          <div className="panel-body">
            {answer.configuration.length === 0 ? <Empty icon="timeline" title={t('revisions.none')}>{t('revisions.none.text')}</Empty> : (
              <ol className="history">
                {answer.configuration.map((one) => (
                  <li key={one.revision} className="stack-tight">
                    <div className="row row-wrap"><strong>{t('revisions.number', { revision: one.revision })}</strong><span className="muted small">{t('revisions.signed', { name: one.published_by.name, at: formatTime(one.published_at) })}</span></div>
                    <p>{one.note}</p>
                    <ChangeList changes={one.changes ?? []} />
                    <code className="small muted hash">{one.sha256}</code>
                  </li>
                ))}
              </ol>
            )}
          </div>
        </section>
        <div className="span-5 stack">
          <section className="panel" aria-label={t('oversight.balance')}>
            <div className="panel-head"><h2>{t('oversight.balance')}</h2></div>
            <div className="panel-body stack-tight">
              <p className="muted">{t('oversight.balance.text')}</p>
              <dl className="fact-rows small">
                {(['clients', 'admitted', 'waiting', 'removed', 'refused', 'stored', 'erased', 'expired', 'lost'] as const).map((name) => <div key={name}><dt>{t(`balance.${name}`)}</dt><dd>{formatNumber(balance[name])}</dd></div>)}
                {balance.by_rule.map((one) => <div key={one.rule}><dt>{t('detail.filtered', { what: one.rule })}</dt><dd>{formatNumber(one.filtered)}</dd></div>)}
              </dl>
            </div>
          </section>
          <section className="panel" aria-label={t('new.retention')}>
            <div className="panel-head"><h2>{t('new.retention')}</h2></div>
            <div className="panel-body">
              <dl className="fact-rows small">
                {(['raw_days', 'picture_days', 'aggregate_months'] as const).map((name) => <div key={name}><dt>{t(`new.${name}`)}</dt><dd>{retention[name]}</dd></div>)}
                {retention.reason && <div><dt>{t('new.reason')}</dt><dd>{retention.reason}</dd></div>}
              </dl>
            </div>
          </section>
        </div>
      </div>
    </div>
  );
}

function Figure({ title, value, note }: { title: string; value: string; note: string }) {
  return <div className="figure"><dt>{title}</dt><dd>{value}<small>{note}</small></dd></div>;
}
