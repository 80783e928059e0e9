// What clients reported as errors, grouped by kind, each with the sentence that helps.
import type { ClientError } from '../../client';
import { fleetPath } from '../../client/fleet';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { formatNumber, formatTime } from '../../format';
import { useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';
import { t } from '../../text';

export function ClientErrors() {
  const project = useProject();
  const { answer, error, again } = useAnswer(fleetPath.errors(project.slug));
  const columns: TableColumn<ClientError>[] = [
    { name: 'what', title: t('clients.errors.what'), wrap: true, show: (row) => <span><strong>{row.message}</strong><br />{row.help}<br /><span className="small muted">{t('error.code', { code: row.code })}</span></span> },
    { name: 'count', title: t('clients.errors.count'), numeric: true, value: (row) => row.count, show: (row) => formatNumber(row.count) },
    { name: 'clients', title: t('clients.errors.clients'), numeric: true, value: (row) => row.clients, show: (row) => formatNumber(row.clients) },
    { name: 'first', title: t('clients.errors.first'), value: (row) => row.first_seen, show: (row) => formatTime(row.first_seen) },
    { name: 'last', title: t('clients.errors.last'), value: (row) => row.last_seen, show: (row) => formatTime(row.last_seen) },
  ];
  return (
    <section className="panel" aria-label={t('clients.errors')}>
      <div className="panel-head"><h2>{t('clients.errors')}</h2></div>
      <div className="panel-body">
        {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={200} />
          : answer.errors.length === 0 ? <Empty icon="check" title={t('clients.errors.none')}>{t('clients.errors.none.text')}</Empty>
          : <DataTable label={t('clients.errors')} columns={columns} rows={answer.errors} rowKey={(row) => row.code} height_px={720} />}
      </div>
    </section>
  );
}
