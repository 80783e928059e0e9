// The menu with the forms in which a task can be taken away: a document, a model, a script.
import { tasksPath } from '../../client/tasks';
import { Icon } from '../../components/Icon';
import { Popover } from '../../components/Popover';
import { useProject } from '../../state/project';
import { t } from '../../text';

const FORMATS = ['html', 'bpmn', 'playwright'] as const;

export function TakeAway({ task }: { task: { task: string; name: string } }) {
  const project = useProject();
  return (
    <Popover className="button button-small" align="end" boxClassName="menu" label={`${t('tasks.take')}: ${task.name}`} button={<><Icon name="download" size={16} />{t('tasks.take')}</>}>
      {(close) => FORMATS.map((format) => (
        <a key={format} className="menu-item" href={tasksPath.document(project.slug, task.task, format)} download onClick={close}>{t(`tasks.take.${format}`)}</a>
      ))}
    </Popover>
  );
}
