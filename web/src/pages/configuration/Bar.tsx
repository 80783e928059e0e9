// The state of the text in one line: valid or not, tests, saved or not; and what can be done with the whole of it.
import { useRef, useState } from 'react';
import type { Problem } from '../../client';
import { readTemplate } from '../../client/configuration';
import { Confirm } from '../../components/Confirm';
import { Icon } from '../../components/Icon';
import { ErrorNote } from '../../components/Notice';
import { usePageAddress } from '../../components/PageLink';
import { Popover } from '../../components/Popover';
import { saveFile } from '../../format/save';
import { goTo } from '../../state/location';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { withoutBrowsers } from '../new/wish';
import { elementsOf, firstElement } from '../../xml/tree';
import { type Loaded, useDraft } from './draft';
import { allowedProcesses, BOTH_PX_MIN } from './model';
import { PublishDialog } from './PublishDialog';

interface BarProps { loaded: Loaded; onGoal: (goal: { line: number; column: number }) => void }

export function Bar({ loaded, onGoal }: BarProps) {
  const project = useProject();
  const draft = useDraft();
  const work = useWork();
  const file = useRef<HTMLInputElement>(null);
  const [publishing, setPublishing] = useState(false);
  const [preset, setPreset] = useState(false);
  const sites = () => elementsOf(firstElement(draft.root, 'allow'), 'app').flatMap((app) => elementsOf(app, 'site')).flatMap((site) => site.attributes.filter((one) => one.name === 'host').map((one) => one.value));
  const unpublished = draft.text !== loaded.published;
  return (
    <div className="configuration-bar" role="group" aria-label={t('configuration.state')}>
      <Verdict onGoal={onGoal} />
      <Tests />
      <span className="muted small" role="status">{t(`configuration.saving.${draft.saving}`)}</span>
      <span className="grow" />
      <Popover className="button" boxClassName="menu" align="end" button={<>{t('configuration.more')}<Icon name="chevron" size={16} /></>}>
        {(close) => (
          <span onClick={close}>
            <button type="button" className="menu-item" onClick={() => setPreset(true)}><Icon name="shield" />{t('configuration.council')}</button>
            <button type="button" className="menu-item" onClick={() => file.current?.click()}><Icon name="import" />{t('configuration.import')}</button>
            <button type="button" className="menu-item" onClick={() => saveFile(new Blob([draft.text], { type: 'application/xml' }), `${project.slug}.xml`)}><Icon name="download" />{t('configuration.export')}</button>
            {loaded.published && unpublished && <button type="button" className="menu-item" onClick={() => draft.setText(loaded.published!)}><Icon name="refresh" />{t('configuration.discard')}</button>}
          </span>
        )}
      </Popover>
      <input ref={file} type="file" accept=".xml,application/xml,text/xml" hidden aria-label={t('configuration.import')} onChange={(event) => { void event.target.files?.[0]?.text().then(draft.setText); event.target.value = ''; }} />
      <button type="button" className="button button-primary" disabled={!unpublished || !draft.check?.valid || draft.checking || draft.fault !== null} onClick={() => setPublishing(true)}>{t('configuration.publish')}</button>
      {work.error && <ErrorNote error={work.error} />}
      {publishing && <PublishDialog onClose={() => setPublishing(false)} onPublished={(xml) => { setPublishing(false); draft.setText(xml); loaded.again(); }} />}
      {preset && (
        <Confirm
          title={t('configuration.council')} action={t('configuration.council.do')} onClose={() => setPreset(false)}
          onConfirm={async () => draft.setText((await readTemplate(project.slug, 'works_council', withoutBrowsers(draft.root ? allowedProcesses(draft.root) : [], sites()), sites())).xml)}
        >
          <p>{t('configuration.council.text')}</p>
        </Confirm>
      )}
    </div>
  );
}

function Verdict({ onGoal }: { onGoal: BarProps['onGoal'] }) {
  const { problems, check, checkError, checking } = useDraft();
  const address = usePageAddress();
  const errors = problems.filter((one) => one.severity === 'error').length;
  if (checkError) return <span className="tag tag-bad" title={checkError.message}><span aria-hidden="true">!</span>{t('configuration.unchecked')}</span>;
  if (!check && problems.length === 0) return <span className="tag">{t('configuration.checking')}</span>;
  const word = errors > 0 ? t('configuration.errors', { count: errors }) : problems.length > 0 ? t('configuration.warnings', { count: problems.length }) : t('configuration.valid');
  const look = errors > 0 ? 'tag-bad' : problems.length > 0 ? 'tag-warm' : 'tag-good';
  const sign = errors > 0 ? '!' : problems.length > 0 ? '?' : '✓';
  const tag = <span className={`tag ${look}`} data-valid={errors === 0} data-checking={checking}><span aria-hidden="true">{sign}</span>{word}</span>;
  if (problems.length === 0) return tag;
  const open = (problem: Problem) => {
    goTo(address('configuration', { view: window.innerWidth >= BOTH_PX_MIN ? 'both' : 'text' }));
    onGoal({ line: problem.line, column: problem.column });
  };
  return (
    <Popover className="button button-quiet button-small" boxClassName="menu problem-list" button={<>{tag}<Icon name="chevron" size={14} /></>}>
      {(close) => (
        <ul>
          {problems.map((one, index) => (
            <li key={index}>
              <button type="button" className="menu-item problem" onClick={() => { close(); open(one); }}>
                <span aria-hidden="true" className={one.severity === 'error' ? 'problem-error' : 'problem-warning'}>{one.severity === 'error' ? '!' : '?'}</span>
                <span><span className="muted small">{t('configuration.at', { line: one.line, column: one.column })}</span><br />{one.message}{one.hint && <><br /><span className="muted">{one.hint}</span></>}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}

function Tests() {
  const tests = useDraft().check?.tests ?? [];
  if (tests.length === 0) return null;
  const passed = tests.filter((one) => one.passed).length;
  const all = passed === tests.length;
  return <span className={`tag ${all ? 'tag-good' : 'tag-bad'}`}><span aria-hidden="true">{all ? '✓' : '!'}</span>{t('configuration.tests', { passed, count: tests.length })}</span>;
}
