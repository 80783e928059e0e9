// The page where logs come in: choose files, choose the project, follow the work, read what was taken and what was refused.
import { useRef, useState } from 'react';
import { type Import as ImportRecord, path, type Project, type ServiceError } from '../../client';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote } from '../../components/Notice';
import { AddressLink } from '../../components/PageLink';
import { ProgressBar } from '../../components/ProgressBar';
import { formatBytes, formatNumber, formatTime } from '../../format';
import { pagePath } from '../../routes';
import { asServiceError, useAnswer } from '../../state/answers';
import { chooseFiles, dropUpload, dropWaiting, importWaiting, isFinal, newProject, type Upload, useImports } from '../../state/imports';
import { goTo, usePlace } from '../../state/location';
import { useProjectIfAny } from '../../state/project';
import { type PlainKey, t } from '../../text';
import { ColumnMapping } from './ColumnMapping';
import './import.css';

const NEW = '';

export default function Import() {
  const project = useProjectIfAny();
  const { waiting, uploads } = useImports();
  return (
    <div className="import">
      <div className="stack">
        <Chooser />
        {waiting.length > 0 && <Decision waiting={waiting} project={project} />}
        {uploads.length > 0 && (
          <section className="stack-tight" aria-label={t('import.now')}>
            <h2>{t('import.now')}</h2>
            {uploads.map((upload) => <UploadCard key={upload.key} upload={upload} />)}
          </section>
        )}
      </div>
      {project ? <Past project={project} /> : <Welcome />}
    </div>
  );
}

function Chooser() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <section className="chooser" aria-label={t('import.choose')}>
      <Icon name="import" size={32} />
      <p><strong>{t('import.dropHere')}</strong></p>
      <p className="muted small">{t('import.formats')}</p>
      <button type="button" className="button button-primary" onClick={() => input.current?.click()}>{t('import.choose')}</button>
      <input
        ref={input} type="file" multiple hidden
        onChange={(event) => {
          chooseFiles(event.target.files ?? []);
          event.target.value = '';
        }}
      />
    </section>
  );
}

function Decision({ waiting, project }: { waiting: File[]; project: Project | null }) {
  const { query } = usePlace();
  const list = useAnswer(path.projects()).answer?.projects ?? [];
  const [target, setTarget] = useState(query.get('to_project') === 'new' ? NEW : (project?.slug ?? list[0]?.slug ?? NEW));
  const [name, setName] = useState(() => suggestName(waiting[0]!.name));
  const [map, setMap] = useState('');
  const [error, setError] = useState<ServiceError | null>(null);
  const csv = waiting.find((file) => /\.csv(\.gz|\.zst)?$/i.test(file.name));
  const begin = async () => {
    try {
      const slug = target === NEW ? await newProject(name.trim()) : target;
      goTo(pagePath(slug, 'import'));
      await importWaiting(slug, map);
    } catch (cause) {
      setError(asServiceError(cause));
    }
  };
  return (
    <form className="panel" onSubmit={(event) => { event.preventDefault(); void begin(); }} aria-label={t('import.decide')}>
      <div className="panel-head"><h2>{t('import.decide')}</h2></div>
      <div className="panel-body stack">
        <ul className="stack-tight">
          {waiting.map((file, index) => (
            <li key={`${file.name} ${index}`} className="row">
              <Icon name="table" /><span className="grow truncate">{file.name}</span><span className="muted">{formatBytes(file.size)}</span>
              <button type="button" className="button button-quiet button-icon button-small" aria-label={t('import.take', { file: file.name })} onClick={() => dropWaiting(file)}><Icon name="close" size={16} /></button>
            </li>
          ))}
        </ul>
        <div className="row row-wrap" style={{ alignItems: 'flex-end' }}>
          <label className="field grow"><span>{t('import.into')}</span>
            <select className="input" value={target} onChange={(event) => setTarget(event.target.value)}>
              {list.map((one) => <option key={one.id} value={one.slug}>{one.name}</option>)}
              <option value={NEW}>{t('import.newProject')}</option>
            </select>
          </label>
          {target === NEW && (
            <label className="field grow"><span>{t('import.name')}</span>
              <input className="input" required value={name} onChange={(event) => setName(event.target.value)} maxLength={80} />
            </label>
          )}
        </div>
        {csv && <ColumnMapping file={csv} onChange={setMap} />}
        {error && <ErrorNote error={error} />}
        <div className="dialog-foot"><button type="submit" className="button button-primary">{t('import.begin', { count: waiting.length })}</button></div>
      </div>
    </form>
  );
}

/** "Reimbursement_2020.csv.zst" → "Reimbursement 2020". */
function suggestName(file: string): string {
  return file.replace(/(\.(csv|json|jsonl|xes|xml|parquet|gz|zst))+$/i, '').replaceAll(/[_-]+/g, ' ').trim();
}

const STATE_WORDS = {
  reading: 'import.state.reading', storing: 'import.state.storing', running_jobs: 'import.state.jobs', done: 'import.state.done',
  duplicate: 'import.state.duplicate', failed: 'import.state.failed',
} as const satisfies Record<ImportRecord['state'], PlainKey>;

/** How much of the way is done, 0 to 1: first the upload, then the reading, then the rest. */
function progress({ file, bytes_sent, import: state }: Upload): number {
  if (!state) return 0.4 * (file.size ? bytes_sent / file.size : 0);
  if (state.state === 'reading') return 0.4 + 0.4 * (state.bytes_total ? state.bytes_read / state.bytes_total : 0);
  return state.state === 'storing' ? 0.85 : state.state === 'running_jobs' ? 0.93 : 1;
}

function UploadCard({ upload }: { upload: Upload }) {
  const { file, error, import: record, project } = upload;
  const final = isFinal(upload);
  const share = progress(upload);
  const state = record ? t(STATE_WORDS[record.state]) : t('import.state.sending');
  return (
    <article className="panel upload" aria-label={file.name}>
      <div className="row">
        <strong className="grow truncate">{file.name}</strong>
        <span role="status" className={`tag ${record?.state === 'done' ? 'tag-good' : record?.state === 'failed' || error ? 'tag-bad' : record?.state === 'duplicate' ? 'tag-warm' : 'tag-accent'}`} data-state={record?.state ?? (error ? 'error' : 'sending')}>
          {record?.state === 'done' && <Icon name="check" size={14} />}{error ? t('import.state.failed') : state}
        </span>
        {final && <button type="button" className="button button-quiet button-icon button-small" aria-label={t('import.dismiss', { file: file.name })} onClick={() => dropUpload(upload.key)}><Icon name="close" size={16} /></button>}
      </div>
      {!final && (
        <>
          <ProgressBar label={file.name} share={share} />
          <p className="small muted">
            {record ? t('import.progress.read', { read: formatBytes(record.bytes_read), total: formatBytes(record.bytes_total), rows: record.rows_read }) : t('import.progress.sent', { sent: formatBytes(upload.bytes_sent), total: formatBytes(file.size) })}
          </p>
        </>
      )}
      {error && <ErrorNote error={error} />}
      {record && final && <Result record={record} project={project} />}
    </article>
  );
}

function Result({ record, project }: { record: ImportRecord; project: string }) {
  return (
    <div className="stack-tight">
      {record.message && <p className={record.state === 'failed' ? 'error-note' : undefined}>{record.message}</p>}
      {record.state === 'duplicate' && !record.message && <p>{t('import.duplicate')}</p>}
      {record.state === 'done' && (
        <p>
          {t('import.rows', { read: record.rows_read, stored: record.rows_stored })}{' '}
          {record.rows_rejected === 0 ? t('import.noRejects') : <strong>{t('import.rejects', { count: record.rows_rejected })}</strong>}
        </p>
      )}
      {record.first_rejects.length > 0 && (
        <>
          <ul className="rejects small">
            {record.first_rejects.map(({ line, reason }) => <li key={line}><span className="muted">{t('import.line', { line })}</span> {reason}</li>)}
          </ul>
          <p><a href={path.rejects(project, record.id)} download>{t('import.rejectsFile')}</a></p>
        </>
      )}
      {record.state !== 'failed' && <p><AddressLink address={pagePath(project, 'overview')} className="button button-small">{t('import.see')}</AddressLink></p>}
    </div>
  );
}

function Past({ project }: { project: Project }) {
  const { answer, error, again } = useAnswer(path.imports(project.slug));
  const columns: TableColumn<ImportRecord>[] = [
    { name: 'file', title: t('import.file'), value: (row) => row.file, show: (row) => row.file, head: true },
    { name: 'state', title: t('column.state'), value: (row) => row.state, show: (row) => t(STATE_WORDS[row.state]) },
    { name: 'stored', title: t('import.stored'), numeric: true, value: (row) => row.rows_stored, show: (row) => formatNumber(row.rows_stored) },
    { name: 'rejected', title: t('import.rejected'), numeric: true, value: (row) => row.rows_rejected, show: (row) => (row.rows_rejected > 0 ? <a href={path.rejects(project.slug, row.id)} download>{formatNumber(row.rows_rejected)}</a> : formatNumber(0)) },
    { name: 'started', title: t('import.when'), value: (row) => row.started_at, show: (row) => formatTime(row.started_at) },
  ];
  return (
    <section className="panel" aria-label={t('import.past')}>
      <div className="panel-head"><h2>{t('import.past')}</h2><span className="muted small" style={{ paddingInlineEnd: 8 }}>{project.name}</span></div>
      <div className="panel-body">
        {error ? <ErrorNote error={error} again={again} />
          : answer && answer.imports.length > 0 ? <DataTable label={t('import.past')} columns={columns} rows={answer.imports} height_px={420} />
          : <Empty icon="import" title={t('import.past.none')}>{t('import.past.text')}</Empty>}
      </div>
    </section>
  );
}

function Welcome() {
  return (
    <section className="panel" aria-label={t('welcome.title')}>
      <div className="panel-head"><h2>{t('welcome.title')}</h2></div>
      <div className="panel-body stack">
        <p>{t('welcome.text')}</p>
        <ol className="welcome">
          <li>{t('welcome.one')}</li><li>{t('welcome.two')}</li><li>{t('welcome.three')}</li>
        </ol>
      </div>
    </section>
  );
}
