// Events that the service could not take, kept with the reason: try again after mending the cause, or delete.
import { useState } from 'react';
import type { DeadLetter } from '../../client';
import { deleteLetter, fleetPath, replayLetter } from '../../client/fleet';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Empty, ErrorNote, PartFailure, Waiting } from '../../components/Notice';
import { formatBytes, formatTime, NOTHING } from '../../format';
import { useAnswer } from '../../state/answers';
import { changeQuery } from '../../state/location';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';

export function DeadLetters() {
  const project = useProject();
  const work = useWork();
  const [outcome, setOutcome] = useState<string | null>(null);
  const { answer, error, again } = useAnswer(fleetPath.deadLetters(project.slug));
  const replay = async (letter: DeadLetter) => {
    const done = await work.run(() => replayLetter(project.slug, letter.id));
    if (done) setOutcome(t('clients.letters.outcome', { seq: letter.seq ?? NOTHING, outcome: done.outcome }));
    again();
  };
  const remove = async (letter: DeadLetter) => {
    await work.run(() => deleteLetter(project.slug, letter.id));
    again();
  };
  const columns: TableColumn<DeadLetter>[] = [
    { name: 'agent', title: t('clients.client'), head: true, show: (row) => <button type="button" className="button-link mono" onClick={() => changeQuery({ client: row.agent_id })}>{row.agent_id.slice(0, 8)}</button> },
    { name: 'reason', title: t('clients.letters.reason'), wrap: true, value: (row) => row.reason, show: (row) => row.reason },
    { name: 'at', title: t('clients.letters.at'), value: (row) => row.at, show: (row) => formatTime(row.at) },
    { name: 'bytes', title: t('tables.size'), numeric: true, value: (row) => row.bytes, show: (row) => formatBytes(row.bytes) },
    {
      name: 'do', title: t('people.do'), show: (row) => (
        <span className="row">
          <button type="button" className="button button-small" disabled={work.busy} aria-label={t('clients.letters.replayWhich', { seq: row.seq ?? NOTHING })} onClick={() => void replay(row)}>{t('clients.letters.replay')}</button>
          <button type="button" className="button button-small" disabled={work.busy} aria-label={t('clients.letters.deleteWhich', { seq: row.seq ?? NOTHING })} onClick={() => void remove(row)}>{t('clients.letters.delete')}</button>
        </span>
      ),
    },
  ];
  return (
    <section className="panel" aria-label={t('clients.letters')}>
      <div className="panel-head"><h2>{t('clients.letters')}</h2></div>
      <div className="panel-body stack-tight">
        {work.error && <ErrorNote error={work.error} />}
        {outcome && <p role="status" className="note">{outcome}</p>}
        {error ? <PartFailure error={error} again={again} /> : !answer ? <Waiting height={200} />
          : answer.dead_letters.length === 0 ? <Empty icon="check" title={t('clients.letters.none')}>{t('clients.letters.none.text')}</Empty>
          : <DataTable label={t('clients.letters')} columns={columns} rows={answer.dead_letters} rowKey={(row) => row.id} height_px={720} />}
      </div>
    </section>
  );
}
