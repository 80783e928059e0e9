// The configuration of a project: the editor, what it would do to events, what changes, and the revisions with their roll-out.
// Who may only look (works council, data protection) sees the revisions.
import { useState } from 'react';
import '../../text/configuration';
import '../../text/service';
import type { Vocabulary } from '../../client';
import { Icon, type IconName } from '../../components/Icon';
import { ErrorNote, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { readRoute } from '../../routes';
import { usePlace } from '../../state/location';
import { may } from '../../state/permissions';
import { useProject } from '../../state/project';
import { type PlainKey, t } from '../../text';
import { Bar } from './Bar';
import { Changes } from './Changes';
import './configuration.css';
import { DraftContext, type Loaded, useEditing, useFirstText, useLoaded } from './draft';
import { Editor } from './Editor';
import { Preview } from './Preview';
import { Revisions } from './Revisions';
import { Rollout, Standing } from './Rollout';

const PARTS: { name: string; title: PlainKey; icon: IconName }[] = [
  { name: 'edit', title: 'configuration.edit', icon: 'edit' },
  { name: 'preview', title: 'configuration.preview', icon: 'play' },
  { name: 'changes', title: 'configuration.changes', icon: 'switching' },
  { name: 'revisions', title: 'configuration.revisions', icon: 'timeline' },
];

export default function Configuration() {
  const project = useProject();
  return may('lead', project) ? <Edited /> : <Revisions />;
}

function Edited() {
  const loaded = useLoaded();
  const first = useFirstText(loaded);
  const error = loaded.error ?? first.error;
  if (error) return <ErrorNote error={error} again={loaded.again} />;
  if (first.text === null || !loaded.vocabulary || loaded.published === null) return <Waiting height={480} />;
  return <Parts first={first.text} vocabulary={loaded.vocabulary} loaded={loaded} />;
}

function Parts({ first, vocabulary, loaded }: { first: string; vocabulary: Vocabulary; loaded: Loaded }) {
  const { path } = usePlace();
  const part = PARTS.find((one) => one.name === readRoute(path).part) ?? PARTS[0]!;
  const draft = useEditing(first, vocabulary);
  const [goal, setGoal] = useState<{ line: number; column: number } | null>(null);
  return (
    <DraftContext value={draft}>
      <div className="stack configuration">
        {loaded.configuration?.rollout ? <Rollout rollout={loaded.configuration.rollout} onChange={loaded.again} />
          : loaded.configuration?.published && <Standing published={loaded.configuration.published} onChange={loaded.again} />}
        <Bar loaded={loaded} onGoal={setGoal} />
        <nav className="tabs" aria-label={t('configuration.parts')}>
          {PARTS.map((one) => (
            <PageLink key={one.name} page="configuration" part={one.name} className="tab" current={one === part}><Icon name={one.icon} size={16} />{t(one.title)}</PageLink>
          ))}
        </nav>
        {part.name === 'edit' ? <Editor goal={goal} onGoal={setGoal} />
          : part.name === 'preview' ? <Preview />
          : part.name === 'changes' ? <Changes published={loaded.published!} />
          : <Revisions rollout={loaded.configuration?.rollout ?? null} onChange={loaded.again} />}
      </div>
    </DraftContext>
  );
}
