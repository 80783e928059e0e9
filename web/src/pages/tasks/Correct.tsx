// The buttons with which one says what a task is, and the dialogs that ask for the rest. The service keeps what is said; the jobs apply it.
import { type FormEvent, type ReactNode, useState } from 'react';
import type { NewCorrection } from '../../client';
import type { Task, TaskStep } from '../../client/analyses';
import { correctTask } from '../../client/tasks';
import { Confirm } from '../../components/Confirm';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { ErrorNote } from '../../components/Notice';
import { usePageAddress } from '../../components/PageLink';
import { forgetAnswers } from '../../state/answers';
import { goTo } from '../../state/location';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';

type Open = 'rename' | 'merge' | 'split' | 'reject' | null;

interface CorrectProps { task: Task; tasks: Task[]; steps: TaskStep[] }

export function Correct({ task, tasks, steps }: CorrectProps) {
  const project = useProject();
  const work = useWork();
  const address = usePageAddress();
  const [open, setOpen] = useState<Open>(null);
  const say = async (said: Omit<NewCorrection, 'task'>) => {
    await correctTask(project.slug, { ...said, task: task.task });
    forgetAnswers();
  };
  /** These change which tasks there are, so that this one may be gone. */
  const sayAndLeave = async (said: Omit<NewCorrection, 'task'>) => {
    await say(said);
    goTo(address('tasks'));
  };
  const others = tasks.filter((other) => other.task !== task.task && other.standing !== 'rejected');
  const close = () => setOpen(null);
  return (
    <>
      {task.standing !== 'confirmed' && (
        <button type="button" className="button button-small" disabled={work.busy} onClick={() => void work.run(() => say({ kind: 'confirm' }))}><Icon name="check" size={16} />{t('correct.confirm')}</button>
      )}
      <button type="button" className="button button-small" onClick={() => setOpen('rename')}><Icon name="edit" size={16} />{t('correct.rename')}</button>
      {others.length > 0 && <button type="button" className="button button-small" onClick={() => setOpen('merge')}>{t('correct.merge')}</button>}
      {steps.length > 1 && <button type="button" className="button button-small" onClick={() => setOpen('split')}>{t('correct.split')}</button>}
      {task.standing !== 'rejected' && <button type="button" className="button button-small" onClick={() => setOpen('reject')}>{t('correct.reject')}</button>}
      {work.error && <ErrorNote error={work.error} />}
      {open === 'rename' && <Rename task={task} onClose={close} onSay={(name) => say({ kind: 'rename', name })} />}
      {open === 'merge' && <Merge task={task} others={others} onClose={close} onSay={(other) => sayAndLeave({ kind: 'merge', other })} />}
      {open === 'split' && <Split task={task} steps={steps} onClose={close} onSay={(step, name) => sayAndLeave({ kind: 'split', step, name })} />}
      {open === 'reject' && (
        <Confirm title={t('correct.reject.title')} action={t('correct.reject')} onClose={close} onConfirm={() => sayAndLeave({ kind: 'reject' })}>
          <p>{t('correct.reject.text', { name: task.name })}</p>
        </Confirm>
      )}
    </>
  );
}

interface AskProps { title: string; ready: boolean; onClose: () => void; onSay: () => Promise<void>; children: ReactNode }

/** A dialog with fields; it stays open with the reason if what was said could not be kept. */
function Ask({ title, ready, onClose, onSay, children }: AskProps) {
  const work = useWork();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (await work.run(async () => { await onSay(); return true; })) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void save(event)}>
        {children}
        <p className="small muted">{t('correct.kept')}</p>
        {work.error && <ErrorNote error={work.error} />}
        <div className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button>
          <button type="submit" className="button button-primary" disabled={!ready || work.busy}>{t('action.save')}</button>
        </div>
      </form>
    </Dialog>
  );
}

const NAME_CHARS_MAX = 120;

function NameField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return <label className="field"><span>{label}</span><input className="input" value={value} maxLength={NAME_CHARS_MAX} onChange={(event) => onChange(event.target.value)} /></label>;
}

function Rename({ task, onClose, onSay }: { task: Task; onClose: () => void; onSay: (name: string) => Promise<void> }) {
  const [name, setName] = useState(task.name);
  return (
    <Ask title={t('correct.rename.title')} ready={name.trim() !== '' && name.trim() !== task.name} onClose={onClose} onSay={() => onSay(name.trim())}>
      <NameField label={t('correct.rename.field')} value={name} onChange={setName} />
    </Ask>
  );
}

function Merge({ task, others, onClose, onSay }: { task: Task; others: Task[]; onClose: () => void; onSay: (other: string) => Promise<void> }) {
  const [other, setOther] = useState('');
  return (
    <Ask title={t('correct.merge.title')} ready={other !== ''} onClose={onClose} onSay={() => onSay(other)}>
      <p>{t('correct.merge.text', { name: task.name })}</p>
      <label className="field"><span>{t('correct.merge.field')}</span>
        <select className="input" value={other} onChange={(event) => setOther(event.target.value)}>
          <option value="">{t('correct.choose')}</option>
          {others.map((one) => <option key={one.task} value={one.task}>{one.name}</option>)}
        </select>
      </label>
    </Ask>
  );
}

function Split({ task, steps, onClose, onSay }: { task: Task; steps: TaskStep[]; onClose: () => void; onSay: (step: string, name: string) => Promise<void> }) {
  const [step, setStep] = useState('');
  const [name, setName] = useState('');
  const choices = steps.filter((one) => one.cases < task.instances).sort((a, b) => b.cases - a.cases);
  return (
    <Ask title={t('correct.split.title')} ready={step !== '' && name.trim() !== ''} onClose={onClose} onSay={() => onSay(step, name.trim())}>
      <p>{choices.length > 0 ? t('correct.split.text') : t('correct.split.none')}</p>
      {choices.length > 0 && (
        <>
          <label className="field"><span>{t('correct.split.step')}</span>
            <select className="input" value={step} onChange={(event) => setStep(event.target.value)}>
              <option value="">{t('correct.choose')}</option>
              {choices.map((one) => <option key={one.activity} value={one.activity}>{t('correct.split.choice', { step: one.activity, count: one.cases })}</option>)}
            </select>
          </label>
          <NameField label={t('correct.split.name')} value={name} onChange={setName} />
        </>
      )}
    </Ask>
  );
}
