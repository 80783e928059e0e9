// Privacy of a project: group size, retention, requests that take two people, erasures, documents, and what the works council sees.
import { send } from './http';
import { at } from './operation';
import type { NewRequest, PrivacyChange } from './types';

export const DOCUMENTS = ['dpia', 'works-agreement', 'art30'] as const;
export type DocumentName = (typeof DOCUMENTS)[number];

export const privacyPath = {
  privacy: (project: string) => at('/projects/{project}/privacy', { project }),
  requests: (project: string) => at('/projects/{project}/requests', { project }),
  request: (project: string, request: string) => at('/projects/{project}/requests/{request}', { project, request }),
  erasures: (project: string) => at('/projects/{project}/erasures', { project }),
  council: (project: string) => at('/projects/{project}/council', { project }),
  document: (project: string, document: DocumentName) => at('/projects/{project}/documents/{document}', { project, document }),
  ownData: (project: string, agent: string, format: 'json' | 'parquet') => at('/projects/{project}/people/{agent}/export', { project, agent, format }),
};

export const changePrivacy = (project: string, change: PrivacyChange) => send('patch', '/projects/{project}/privacy', { project, body: change });
export const askRequest = (project: string, wish: NewRequest) => send('post', '/projects/{project}/requests', { project, body: wish });
export const decideRequest = (project: string, request: string, decision: 'approve' | 'refuse') =>
  send('post', `/projects/{project}/requests/{request}/${decision}`, { project, request });
export const erase = (project: string, agent_id: string) => send('post', '/projects/{project}/erasures', { project, body: { agent_id } });
