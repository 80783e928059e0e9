// Backups of the service: where they go and when, which there are, and one made now.
import { beginBackup, servicePath } from '../../client/service';
import type { BackupMade, Backups as BackupsShown } from '../../client';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { ProgressBar } from '../../components/ProgressBar';
import { formatBytes, formatShare, formatTime } from '../../format';
import { useAnswer } from '../../state/answers';
import { useWork } from '../../state/work';
import { t } from '../../text';

/** How often it is asked how far the one under way is. */
const POLL_MS = 1000;

export function Backups() {
  const work = useWork();
  const { answer, error, again } = useAnswer(servicePath.backups(), POLL_MS);
  const begin = () => void work.run(beginBackup).then(again);
  const can = answer !== null && answer.folder !== null;
  return (
    <section className="panel" aria-label={t('backups.title')}>
      <div className="panel-head">
        <h2>{t('backups.title')}</h2>
        {can && <button type="button" className="button button-primary" disabled={work.busy || answer.progress !== null} onClick={begin}><Icon name="folder" />{t('backups.now')}</button>}
      </div>
      <div className="panel-body stack">
        {work.error && <ErrorNote error={work.error} />}
        {error ? <ErrorNote error={error} again={again} /> : answer ? <Planned backups={answer} /> : <Waiting height={240} />}
      </div>
    </section>
  );
}

function Planned({ backups }: { backups: BackupsShown }) {
  const { folder, every_hours, kept, through, made, progress, failure } = backups;
  if (folder === null) return <Empty icon="folder" title={t('backups.none.title')}>{t('backups.none')}</Empty>;
  const columns: TableColumn<BackupMade>[] = [
    { name: 'made', title: t('backups.made'), wrap: true, value: (row) => row.made_at, show: (row) => formatTime(row.made_at) },
    { name: 'name', title: t('backups.file'), head: true, wrap: true, value: (row) => row.name, show: (row) => <span className="mono">{row.name}</span> },
    { name: 'bytes', title: t('backups.size'), numeric: true, value: (row) => row.bytes, show: (row) => formatBytes(row.bytes) },
  ];
  return (
    <>
      <p>
        {every_hours > 0 ? t('backups.every', { count: every_hours, kept, folder }) : t('backups.asked', { kept, folder })}
        {through !== null && <> {t('backups.through')} <code className="mono">{through}</code></>}
      </p>
      <p className="muted small">{t('backups.note')}</p>
      {failure && <p className="note note-bad" role="alert"><Icon name="warning" />{t('backups.failed', { at: formatTime(failure.at), message: failure.message })}</p>}
      {progress !== null && (
        <div className="stack-tight">
          <p role="status">{t('backups.running')} {formatShare(progress)}</p>
          <ProgressBar label={t('backups.running')} share={progress} />
        </div>
      )}
      {made.length === 0 ? <p className="muted">{t('backups.empty')}</p> : <DataTable label={t('backups.title')} columns={columns} rows={made} rowKey={(row) => row.name} height_px={480} />}
    </>
  );
}
