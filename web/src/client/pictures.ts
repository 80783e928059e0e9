// Pictures of single steps: where one is, what is known of it, and what may be done with it. It keeps no state.
import { send } from './http';
import { at } from './operation';
import type { Area } from './types';

export const picturePath = {
  known: (project: string, screenshot: string) => at('/projects/{project}/screenshots/{screenshot}', { project, screenshot }),
  png: (project: string, screenshot: string) => at('/projects/{project}/screenshots/{screenshot}/png', { project, screenshot }),
};

export const reportPicture = (project: string, screenshot: string) => send('post', '/projects/{project}/screenshots/{screenshot}/report', { project, screenshot });
export const releasePicture = (project: string, screenshot: string) => send('post', '/projects/{project}/screenshots/{screenshot}/release', { project, screenshot });
export const coverPicture = (project: string, screenshot: string, areas: Area[]) =>
  send('post', '/projects/{project}/screenshots/{screenshot}/cover', { project, screenshot, body: { areas } });
export const erasePicture = (project: string, screenshot: string) => send('delete', '/projects/{project}/screenshots/{screenshot}', { project, screenshot });
