// From nothing to the first client: purpose, privacy, applications, a checked and published configuration, an app key, and waiting live.
// The project is made when its configuration is about to be shown; until then nothing is stored.
import { useState } from 'react';
import '../../text/service';
import { type Check, createProject, type NewAppKey, type Project } from '../../client';
import { checkConfiguration, publish, readTemplate } from '../../client/configuration';
import { createAppKey } from '../../client/people';
import { Icon } from '../../components/Icon';
import { ErrorNote } from '../../components/Notice';
import { AddressLink } from '../../components/PageLink';
import { forgetAnswers } from '../../state/answers';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { KEY_DAYS } from '../people/AppKeys';
import { Applications, Privacy, Purpose } from './fields';
import { Install } from './Install';
import './new.css';
import { isBrowser, STANDARD, type Wish, withoutBrowsers } from './wish';

const STEPS = ['purpose', 'privacy', 'applications', 'check', 'install'] as const;
type Step = (typeof STEPS)[number];

export default function NewProject() {
  const [begun, setBegun] = useState(false);
  return begun ? <Wizard onBack={() => setBegun(false)} /> : <Choice onRecord={() => setBegun(true)} />;
}

function Choice({ onRecord }: { onRecord: () => void }) {
  return (
    <div className="stack new-page">
      <h2>{t('new.choose')}</h2>
      <div className="new-ways">
        <button type="button" className="new-way" onClick={onRecord}><Icon name="screen" size={28} /><strong>{t('new.record')}</strong><span className="muted">{t('new.record.text')}</span></button>
        <AddressLink address="/import?to_project=new" className="new-way"><Icon name="import" size={28} /><strong>{t('new.import')}</strong><span className="muted">{t('new.import.text')}</span></AddressLink>
      </div>
    </div>
  );
}

interface Draft { xml: string; check: Check }

function Wizard({ onBack }: { onBack: () => void }) {
  const [step, setStep] = useState<Step>('purpose');
  const [wish, setWish] = useState<Wish>(STANDARD);
  const [project, setProject] = useState<Project | null>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [key, setKey] = useState<NewAppKey | null>(null);
  const work = useWork();
  const index = STEPS.indexOf(step);

  const prepare = () => work.run(async () => {
    const made = project ?? await createProject(projectOf(wish));
    setProject(made);
    const { xml } = await readTemplate(made.slug, wish.preset, withoutBrowsers(wish.apps, wish.sites), wish.sites);
    setDraft({ xml, check: await checkConfiguration(made.slug, xml, new AbortController().signal) });
    return true;
  });
  const finish = () => work.run(async () => {
    await publish(project!.slug, draft!.xml, t('new.note'), 100);
    setKey(await createAppKey(project!.slug, { name: project!.name, days: KEY_DAYS, uses_max: null, approval: 'auto', address_range: null }));
    forgetAnswers();
    return true;
  });
  const next = async () => {
    const done = step === 'applications' ? await prepare() : step === 'check' ? await finish() : true;
    if (done) setStep(STEPS[index + 1]!);
  };
  // What the project was made with is not asked again; applications may still change.
  const back = project ? (step === 'check' ? () => setStep('applications') : null) : index === 0 ? onBack : () => setStep(STEPS[index - 1]!);
  const ready = step !== 'check' || draft?.check.valid;
  const sitesMissing = step === 'applications' && wish.apps.some(isBrowser) && wish.sites.length === 0;
  return (
    <div className="stack new-page">
      <Progress step={step} />
      {step === 'install' && project && key ? <Install project={project} made={key} /> : (
        <form className="panel" aria-label={t(`new.step.${step}`)} onSubmit={(event) => { event.preventDefault(); void next(); }}>
          <div className="panel-head"><h2>{t(`new.step.${step}`)}</h2></div>
          <div className="panel-body stack">
            {step === 'purpose' && <Purpose wish={wish} onChange={setWish} />}
            {step === 'privacy' && <Privacy wish={wish} onChange={setWish} />}
            {step === 'applications' && <Applications wish={wish} onChange={setWish} />}
            {step === 'check' && draft && <CheckResult draft={draft} />}
            {sitesMissing && <div className="note note-warm" role="note"><Icon name="warning" /><span>{t('new.sites.needed')}</span></div>}
            {work.error && <ErrorNote error={work.error} />}
            <div className="dialog-foot">
              {back && <button type="button" className="button" style={{ marginInlineEnd: 'auto' }} onClick={back}>{t('new.back')}</button>}
              <button type="submit" className="button button-primary" disabled={work.busy || !ready || sitesMissing || (step === 'applications' && wish.apps.length === 0)}>
                {step === 'check' ? t('new.publish') : t('new.next')}
              </button>
            </div>
          </div>
        </form>
      )}
    </div>
  );
}

const projectOf = ({ name, purposes, retention, min_group_size, preset }: Wish) => ({
  name: name.trim(), kind: 'enrolled' as const, purposes: purposes.split('\n').map((one) => one.trim()).filter(Boolean), retention, min_group_size, preset,
});

function Progress({ step }: { step: Step }) {
  const index = STEPS.indexOf(step);
  return (
    <ol className="new-steps" aria-label={t('new.steps')}>
      {STEPS.map((one, place) => (
        <li key={one} aria-current={one === step ? 'step' : undefined} data-done={place < index}>
          <span className="new-number">{place < index ? <Icon name="check" size={14} /> : place + 1}</span><span>{t(`new.step.${one}`)}</span>
        </li>
      ))}
    </ol>
  );
}

function CheckResult({ draft: { xml, check } }: { draft: Draft }) {
  return (
    <>
      <p className="muted">{t('new.check.text')}</p>
      <div className={`note ${check.valid ? 'note-good' : 'note-warm'}`} role="status"><Icon name={check.valid ? 'check' : 'warning'} /><span>{check.valid ? t('new.check.good') : t('new.check.bad')}</span></div>
      {check.problems.length > 0 && <ul className="stack-tight">{check.problems.map((one) => <li key={`${one.line} ${one.column} ${one.code}`}>{t('new.problem', { line: one.line, message: one.message })} {one.hint && <span className="muted">{one.hint}</span>}</li>)}</ul>}
      <pre className="new-xml" tabIndex={0} role="group" aria-label={t('new.xml')}>{xml}</pre>
    </>
  );
}
