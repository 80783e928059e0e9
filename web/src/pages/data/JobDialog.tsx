// One job: its text to read, try out and replace, its schedule, and whether it runs at all. Also makes a new one, in SQL or in Python.
import { useState } from 'react';
import { deleteJob, dryRun, type Job, type JobLanguage, type JobTried, path, putJob, ServiceError } from '../../client';
import { AnswerTable } from '../../components/AnswerTable';
import { Dialog } from '../../components/Dialog';
import { ErrorNote } from '../../components/Notice';
import { asServiceError, forgetAnswers, useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';
import { t } from '../../text';
import CodeEditor, { type Mark } from './CodeEditor';

const NEW_NAME: Record<JobLanguage, string> = { sql: '', python: 'per_application' };

const NEW_TEXT: Record<JobLanguage, string> = {
  sql: `-- One sentence: what question this table answers.
-- reads: int_labeled_events      grain: application      audience: analyst
SELECT application_label, count(*) AS events
FROM int_labeled_events
GROUP BY application_label
`,
  python: `# One sentence: what question this table answers.
# reads: int_labeled_events      grain: application      audience: analyst
import lode

project = lode.connect()
frame = project.sql("""
    SELECT application_label, count(*) AS events
    FROM int_labeled_events
    GROUP BY application_label
""").pandas()
frame["share"] = frame["events"] / frame["events"].sum()
project.write_table("${NEW_NAME.python}", frame)
`,
};

/** The language of a job's text, by how its first line begins. */
const languageOf = (text: string): JobLanguage => (text.startsWith('#') ? 'python' : 'sql');

export function JobDialog({ job, onClose }: { job: Job | null; onClose: () => void }) {
  const project = useProject();
  const schema = useAnswer(path.tables(project.slug)).answer;
  const [name, setName] = useState(job?.name ?? '');
  const [text, setText] = useState(job?.text ?? NEW_TEXT.sql);
  const [enabled, setEnabled] = useState(job?.enabled ?? true);
  const [schedule, setSchedule] = useState(job?.schedule ?? 'on-data');
  const [error, setError] = useState<ServiceError | null>(null);
  const [mark, setMark] = useState<Mark | null>(null);
  const [tried, setTried] = useState<JobTried | null>(null);
  const language = languageOf(text);
  const isNew = Object.values(NEW_TEXT).includes(text);

  const attempt = async (work: () => Promise<unknown>, done: () => void) => {
    setError(null);
    setMark(null);
    setTried(null);
    try {
      await work();
      done();
    } catch (cause) {
      const failure = asServiceError(cause);
      setError(failure);
      if (failure.line !== null) setMark({ line: failure.line, column: failure.column ?? 1, message: failure.message });
    }
  };
  /** A script that failed is no failed call: what it printed comes with the reason. */
  const tryOut = async () => {
    const result = await dryRun(project.slug, text);
    setTried(result);
    if (!result.error) return;
    const { message, line, column } = result.error;
    throw new ServiceError('script', message, t('jobs.correct'), line ?? null, column ?? null);
  };
  const chooseLanguage = (chosen: JobLanguage) => {
    setText(NEW_TEXT[chosen]);
    if (name === NEW_NAME[language]) setName(NEW_NAME[chosen]);
  };
  const finish = () => {
    forgetAnswers();
    onClose();
  };
  const change = {
    ...(text === job?.text ? {} : { text }), ...(enabled === job?.enabled ? {} : { enabled }), ...(schedule === job?.schedule ? {} : { schedule }),
  };
  const kind = schedule === 'on-data' || schedule === 'manual' ? schedule : 'cron';
  return (
    <Dialog wide title={job ? job.name : t('jobs.add')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); void attempt(() => putJob(project.slug, name, change), finish); }}>
        {job && <p>{job.description} <span className="muted">{t('jobs.about', { layer: t(`layer.${job.layer}`), grain: job.grain })}</span></p>}
        {!job && (
          <div className="row row-wrap" style={{ gap: 24, alignItems: 'flex-end' }}>
            <label className="field"><span>{t('jobs.name')}</span>
              <input className="input mono" required pattern="[a-z][a-z0-9_]*" value={name} onChange={(event) => setName(event.target.value)} />
            </label>
            <label className="field"><span>{t('jobs.language')}</span>
              <select className="input" value={language} disabled={!isNew} onChange={(event) => chooseLanguage(event.target.value as JobLanguage)}>
                <option value="sql">{t('language.sql')}</option>
                <option value="python">{t('language.python')}</option>
              </select>
            </label>
          </div>
        )}
        <div className="job-text">
          <CodeEditor label={t(`jobs.text.${language}`)} language={language} text={text} tables={schema?.tables ?? []} functions={schema?.functions ?? []} mark={mark} onChange={setText} />
        </div>
        <div className="row row-wrap" style={{ gap: 24, alignItems: 'flex-end' }}>
          <label className="field"><span>{t('jobs.schedule')}</span>
            <select className="input" value={kind} onChange={(event) => setSchedule(event.target.value === 'cron' ? '0 6 * * *' : event.target.value)}>
              <option value="on-data">{t('schedule.onData')}</option>
              <option value="manual">{t('schedule.manual')}</option>
              <option value="cron">{t('schedule.cron')}</option>
            </select>
          </label>
          {kind === 'cron' && (
            <label className="field"><span>{t('schedule.expression')}</span>
              <input className="input mono" required value={schedule} onChange={(event) => setSchedule(event.target.value)} />
            </label>
          )}
          <label className="check" style={{ minHeight: 32 }}><input type="checkbox" checked={enabled} onChange={(event) => setEnabled(event.target.checked)} />{t('jobs.enabled')}</label>
        </div>
        {error && <ErrorNote error={error} />}
        {tried?.answer && <AnswerTable answer={tried.answer} label={t('jobs.tried')} height_px={220} />}
        {tried?.printed && <div className="field"><span>{t('jobs.printed')}</span><pre className="mono job-printed" tabIndex={0}>{tried.printed}</pre></div>}
        <div className="dialog-foot">
          {job && job.origin !== 'built-in' && (
            <button type="button" className="button button-bad" style={{ marginInlineEnd: 'auto' }} onClick={() => void attempt(() => deleteJob(project.slug, job.name), finish)}>
              {job.origin === 'custom' ? t('jobs.delete') : t('jobs.restore')}
            </button>
          )}
          <button type="button" className="button" onClick={() => void attempt(tryOut, () => undefined)}>{t('jobs.try')}</button>
          <button type="submit" className="button button-primary" disabled={job !== null && Object.keys(change).length === 0}>{job?.origin === 'built-in' && text !== job.text ? t('jobs.replace') : t('action.save')}</button>
        </div>
      </form>
    </Dialog>
  );
}
