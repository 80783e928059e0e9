// The audit log, newest first, with the state of its chain: each entry holds the hash of the one before, and the head is signed.
import type { AuditEntry, AuditHead } from '../client';
import { servicePath } from '../client/service';
import { formatNumber, formatTime, NOTHING } from '../format';
import { useAnswer } from '../state/answers';
import { changeQuery, usePlace } from '../state/location';
import { t } from '../text';
import { DataTable, type TableColumn } from './DataTable';
import { Icon } from './Icon';
import { Empty, ErrorNote, Waiting } from './Notice';
import { Pager } from './Pager';

const PAGE_ROWS = 100;

/** Of one project, or (null) of the whole service. */
export function AuditLog({ slug }: { slug: string | null }) {
  const { query } = usePlace();
  const offset = Math.max(0, Number(query.get('offset')) || 0);
  const { answer, error, again } = useAnswer(servicePath.audit(slug, { action: query.get('action') || undefined, actor: query.get('actor') || undefined, limit: PAGE_ROWS, offset }));
  const head = useAnswer(servicePath.auditHead()).answer;
  const columns: TableColumn<AuditEntry>[] = [
    { name: 'n', title: t('audit.n'), numeric: true, show: (row) => formatNumber(row.n) },
    { name: 'at', title: t('audit.at'), show: (row) => formatTime(row.at) },
    { name: 'actor', title: t('audit.actor'), head: true, show: (row) => <span>{row.actor.name ?? row.actor.id} {row.actor.kind !== 'account' && <span className="tag">{t(`audit.kind.${row.actor.kind}`)}</span>}</span> },
    { name: 'action', title: t('audit.action'), show: (row) => <code>{row.action}</code> },
    ...(slug === null ? [{ name: 'project', title: t('audit.project'), show: (row: AuditEntry) => row.project ?? NOTHING }] : []),
    { name: 'subject', title: t('audit.subject'), show: (row) => (row.subject ? `${row.subject.kind} ${row.subject.id}` : NOTHING) },
    { name: 'detail', title: t('audit.detail'), show: (row) => Object.entries(row.detail).map(([key, value]) => `${key} ${String(value)}`).join(', ') || NOTHING },
  ];
  return (
    <section className="panel" aria-label={t('audit.title')}>
      <div className="panel-head"><h2>{t('audit.title')}</h2></div>
      <div className="panel-body stack-tight">
        {head && <Chain head={head} />}
        {/* Enter in a field asks; the address then holds what was asked for. */}
        <form className="two-fields" onSubmit={(event) => { event.preventDefault(); const data = new FormData(event.currentTarget); changeQuery({ action: String(data.get('action')), actor: String(data.get('actor')), offset: null }); }}>
          <label className="field"><span>{t('audit.action')}</span><input className="input mono" name="action" defaultValue={query.get('action') ?? ''} /></label>
          <label className="field"><span>{t('audit.actor')}</span><span className="row"><input className="input" name="actor" defaultValue={query.get('actor') ?? ''} /><button type="submit" className="button">{t('audit.find')}</button></span></label>
        </form>
        {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={320} />
          : answer.entries.length === 0 ? <Empty icon="timeline" title={t('audit.none')}>{t('audit.none.text')}</Empty>
          : <DataTable label={t('audit.title')} columns={columns} rows={answer.entries} rowKey={(row) => row.n} height_px={640} />}
        {answer && <Pager total={answer.total} offset={offset} page_rows={PAGE_ROWS} onPage={(next) => changeQuery({ offset: next ? String(next) : null })} />}
      </div>
    </section>
  );
}

export function Chain({ head }: { head: AuditHead }) {
  return (
    <div className={`note ${head.verified ? 'note-good' : 'note-bad'}`} role="status">
      <Icon name={head.verified ? 'check' : 'warning'} />
      <span>
        {head.verified ? t('audit.whole', { count: head.n }) : t('audit.broken', { n: head.broken_at ?? head.n })}
        <br /><code className="small hash">{head.hash}</code>
        {head.signed_at && <><br /><span className="small">{t('audit.signed', { at: formatTime(head.signed_at) })}</span></>}
      </span>
    </div>
  );
}
