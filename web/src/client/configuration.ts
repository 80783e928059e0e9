// A project's configuration: draft, check, preview, publishing, roll-out and history, and the vocabulary the editor is drawn from.
import { get, send, sendWith } from './http';
import { at } from './operation';
import type { Preset, PreviewSource } from './types';

export const configurationPath = {
  vocabulary: () => at('/config/vocabulary'),
  configuration: (project: string) => at('/projects/{project}/configuration', { project }),
  revisions: (project: string) => at('/projects/{project}/configuration/revisions', { project }),
  revision: (project: string, revision: number) => at('/projects/{project}/configuration/revisions/{revision}', { project, revision: String(revision) }),
};

/** Goes out even while the page is being left. */
export const saveDraft = (project: string, xml: string) =>
  sendWith({ keepalive: true }, 'put', '/projects/{project}/configuration/draft', { project, body: { xml } });
export const checkConfiguration = (project: string, xml: string, signal: AbortSignal) =>
  sendWith({ signal }, 'post', '/projects/{project}/configuration/check', { project, body: { xml } });
export const previewConfiguration = (project: string, xml: string, source: PreviewSource, days: number) =>
  send('post', '/projects/{project}/configuration/preview', { project, body: { xml, source, days } });
export const publish = (project: string, xml: string, note: string, percent: number) =>
  send('post', '/projects/{project}/configuration/publish', { project, body: { xml, note, percent } });
export const widenRollout = (project: string, percent: number) => send('post', '/projects/{project}/configuration/rollout', { project, body: { percent } });
export const rollBack = (project: string, revision: number, note: string) =>
  send('post', '/projects/{project}/configuration/rollback', { project, body: { revision, note } });
export const readRevisions = (project: string) => get(configurationPath.revisions(project));
export const readRevision = (project: string, revision: number) => get(configurationPath.revision(project, revision));

export const readTemplate = (project: string, preset: Preset, apps: string[], sites: string[]) =>
  get(at('/projects/{project}/configuration/template', { project, preset, apps: apps.join(' ') || undefined, sites: sites.join(' ') || undefined }));
