// The calls about found tasks: what people said of them, and a task to take away. It keeps no state.
import { send } from './http';
import { at } from './operation';
import type { NewCorrection } from './types';

export const tasksPath = {
  corrections: (project: string) => at('/projects/{project}/task-corrections', { project }),
  document: (project: string, task: string, format: 'html' | 'bpmn' | 'playwright') => at('/projects/{project}/tasks/{task}', { project, task, format }),
};

export const correctTask = (project: string, correction: NewCorrection) => send('post', '/projects/{project}/task-corrections', { project, body: correction });
export const withdrawCorrection = (project: string, correction: string) =>
  send('delete', '/projects/{project}/task-corrections/{correction}', { project, correction });
