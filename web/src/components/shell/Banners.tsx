// What everybody must know before reading a figure: whose figures these are, and whether they are up to date.
import { useState } from 'react';
import { path as addresses, type Project, startRun } from '../../client';
import { formatSpan } from '../../format';
import { pagePath } from '../../routes';
import { asServiceError, forgetAnswers, useAnswer } from '../../state/answers';
import { useImports, isFinal } from '../../state/imports';
import { usePlace } from '../../state/location';
import { t } from '../../text';
import { Icon } from '../Icon';
import { AddressLink } from '../PageLink';

export function Banners({ project }: { project: Project | null }) {
  return (
    <aside aria-label={t('banner.label')}>
      <StorageBanner />
      {project && project.min_group_size === 1 && (
        <div className="banner banner-sample" role="note">
          <Icon name="info" size={16} />
          <span>{project.kind === 'sample' ? t('banner.sample') : t('banner.imported')}</span>
          {project.events > 0 && <span className="banner-span">{formatSpan(project.first_event, project.last_event)}</span>}
        </div>
      )}
      <ImportsBanner />
      {project && project.events > 0 && <JobsBanner project={project} />}
    </aside>
  );
}

/** How often it is asked whether the service can store what clients send. */
const LOOK_MS = 30_000;

function StorageBanner() {
  const status = useAnswer(addresses.status(), LOOK_MS).answer;
  if (!status || status.storing) return null;
  return (
    <div className="banner banner-bad" role="alert">
      <Icon name="warning" size={16} />
      <span>{t('banner.notStoring')}</span>
    </div>
  );
}

function JobsBanner({ project }: { project: Project }) {
  const [message, setMessage] = useState<string | null>(null);
  const state = project.jobs.state;
  if (state === 'fresh') return null;
  const run = async () => {
    try {
      await startRun(project.slug, {});
      forgetAnswers();
    } catch (cause) {
      setMessage(asServiceError(cause).message);
    }
  };
  return (
    <div className={`banner ${state === 'failed' ? 'banner-bad' : 'banner-work'}`} role="status">
      <Icon name={state === 'failed' ? 'warning' : 'refresh'} size={16} />
      <span>{state === 'running' ? t('banner.running') : state === 'failed' ? t('banner.failed') : t('banner.stale')}</span>
      {state !== 'running' && <button type="button" className="button button-small" onClick={() => void run()}>{t('jobs.runStale')}</button>}
      {state === 'failed' && <AddressLink address={pagePath(project.slug, 'data', 'runs')}>{t('banner.runs')}</AddressLink>}
      {message && <span>{message}</span>}
    </div>
  );
}

/** Tells on every other page that an import goes on. */
function ImportsBanner() {
  const { uploads } = useImports();
  const { path } = usePlace();
  const open = uploads.filter((upload) => !isFinal(upload));
  if (open.length === 0 || path.endsWith('/import')) return null;
  return (
    <div className="banner banner-work" role="status">
      <Icon name="import" size={16} />
      <span>{t('banner.importing', { count: open.length })}</span>
      <AddressLink address={pagePath(open[0]!.project, 'import')}>{t('banner.importing.show')}</AddressLink>
    </div>
  );
}
