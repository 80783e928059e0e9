// How a task's script would have fared in the recorded instances: in how many it does the same, and which steps would have differed.
import type { TaskStep } from '../../client/analyses';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { formatNumber, formatShare } from '../../format';
import { t } from '../../text';

/** In which ways a step can differ. */
const DIFFERENCES = ['missing', 'added', 'other_order', 'other_value', 'unknown_value'] as const;

export function Replayed({ steps }: { steps: TaskStep[] }) {
  const [first] = steps;
  const instances = first?.replayed ?? 0;
  if (!first || instances === 0) return <p className="muted">{t('automation.replay.none')}</p>;
  const differing = steps.filter((step) => differences(step).length > 0);
  const columns: TableColumn<TaskStep>[] = [
    { name: 'step', title: t('automation.step'), head: true, wrap: true, value: (step) => step.position, show: (step) => step.activity },
    { name: 'same', title: t('automation.replay.same'), numeric: true, value: (step) => step.replay_same, show: (step) => formatNumber(step.replay_same ?? 0) },
    {
      name: 'different', title: t('automation.replay.different'), wrap: true, value: (step) => Math.max(...differences(step).map((each) => each.instances)),
      show: (step) => differences(step).map(({ how, instances }) => <div key={how}>{t(`automation.replay.${how}`, { count: instances })}</div>),
    },
  ];
  return (
    <>
      <p>{t('automation.replay.sum', {
        count: instances, inOrder: formatNumber(first.replayed_in_order), inOrderShare: formatShare((first.replayed_in_order ?? 0) / instances),
        exact: formatNumber(first.replayed_exactly), exactShare: formatShare((first.replayed_exactly ?? 0) / instances),
      })}</p>
      {differing.length === 0 ? <p className="muted">{t('automation.replay.same.all')}</p> : (
        <>
          <p className="small muted">{t('automation.replay.note')}</p>
          <DataTable label={t('automation.replay')} columns={columns} rows={differing} rowKey={(step) => step.activity} />
        </>
      )}
    </>
  );
}

/** The ways in which a step differed anywhere. */
function differences(step: TaskStep) {
  return DIFFERENCES.map((how) => ({ how, instances: step[`replay_${how}`] ?? 0 })).filter(({ instances }) => instances > 0);
}
