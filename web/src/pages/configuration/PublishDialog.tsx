// Publishing: what changes, whom it reaches, a note for those who read the history, and how many clients take it first.
import { type FormEvent, useState } from 'react';
import { publish, readRevision } from '../../client/configuration';
import { Dialog } from '../../components/Dialog';
import { ErrorNote } from '../../components/Notice';
import { Segmented } from '../../components/Segmented';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { ChangeSummary } from './Changes';
import { useDraft } from './draft';
import { Problems } from './sections/Fields';

const PERCENTS = ['5', '25', '100'] as const;

export function PublishDialog({ onClose, onPublished }: { onClose: () => void; onPublished: (xml: string) => void }) {
  const project = useProject();
  const { text, check } = useDraft();
  const work = useWork();
  const [note, setNote] = useState('');
  const [percent, setPercent] = useState<(typeof PERCENTS)[number]>('5');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const made = await work.run(async () => {
      const revision = await publish(project.slug, text, note.trim(), Number(percent));
      // The service writes the revision's number into the text; the editor goes on with that.
      return readRevision(project.slug, revision.revision);
    });
    if (made) onPublished(made.xml ?? text);
  };
  return (
    <Dialog title={t('publish.title')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        {check && <ChangeSummary check={check} />}
        <label className="field"><span>{t('publish.note')}</span><input className="input" required maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} /><small className="muted">{t('publish.note.why')}</small></label>
        <div className="field"><span>{t('publish.percent')}</span>
          <Segmented label={t('publish.percent')} value={percent} onChange={setPercent} choices={PERCENTS.map((one) => ({ value: one, text: t('publish.percent.of', { percent: one }) }))} />
          <small className="muted">{t('publish.percent.note')}</small>
        </div>
        {work.error && <ErrorNote error={work.error} />}
        {work.error && work.error.problems.length > 0 && <div className="stack-tight small"><Problems problems={work.error.problems} /></div>}
        <div className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button>
          <button type="submit" className="button button-primary" disabled={work.busy}>{t('publish.do')}</button>
        </div>
      </form>
    </Dialog>
  );
}
