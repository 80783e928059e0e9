// What people said about the tasks so far, whether it holds, and a way to take it back. Nothing disappears from this list.
import type { Correction } from '../../client';
import { tasksPath, withdrawCorrection } from '../../client/tasks';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { ErrorNote, Waiting } from '../../components/Notice';
import { formatTime } from '../../format';
import { forgetAnswers, useAnswer } from '../../state/answers';
import { may } from '../../state/permissions';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';

const TONES = { holds: 'tag-good', not_found: 'tag-warm', waiting: 'tag-accent', withdrawn: '' } as const;

export function Corrections() {
  const project = useProject();
  const work = useWork();
  const { answer, error, again } = useAnswer(tasksPath.corrections(project.slug));
  const withdraw = (one: Correction) => void work.run(async () => {
    await withdrawCorrection(project.slug, one.id);
    forgetAnswers();
  });
  const columns: TableColumn<Correction>[] = [
    { name: 'what', title: t('corrections.what'), head: true, wrap: true, show: said },
    {
      name: 'state', title: t('corrections.state'), value: (one) => one.state,
      show: (one) => <span className={`tag ${TONES[one.state]}`} title={one.state === 'not_found' ? t('corrections.state.not_found.note') : undefined}>{t(`corrections.state.${one.state}`)}</span>,
    },
    { name: 'by', title: t('corrections.by'), value: (one) => one.made_by.name, show: (one) => one.made_by.name },
    { name: 'when', title: t('corrections.when'), value: (one) => one.made_at, show: (one) => formatTime(one.made_at) },
  ];
  if (may('sql', project)) {
    columns.push({
      name: 'do', title: t('corrections.do'),
      show: (one) => (one.state === 'withdrawn' ? '' : <button type="button" className="button button-small" disabled={work.busy} aria-label={t('corrections.withdrawWhat', { what: said(one) })} onClick={() => withdraw(one)}>{t('corrections.withdraw')}</button>),
    });
  }
  return (
    <section className="panel" aria-label={t('corrections.title')}>
      <div className="panel-head"><h2>{t('corrections.title')}</h2></div>
      <div className="panel-body">
        {work.error && <ErrorNote error={work.error} />}
        {error ? <ErrorNote error={error} again={again} />
          : !answer ? <Waiting height={60} />
          : answer.corrections.length === 0 ? <p className="muted">{t('corrections.none')}</p>
          : <DataTable label={t('corrections.title')} columns={columns} rows={[...answer.corrections].reverse()} rowKey={(one) => one.id} />}
      </div>
    </section>
  );
}

function said(one: Correction): string {
  const task = one.task_name;
  switch (one.kind) {
    case 'confirm': return t('corrections.confirm', { task });
    case 'rename': return t('corrections.rename', { task, name: one.name ?? '' });
    case 'merge': return t('corrections.merge', { task, other: one.other_name ?? '' });
    case 'split': return t('corrections.split', { task, name: one.name ?? '' });
    case 'reject': return t('corrections.reject', { task });
  }
}
