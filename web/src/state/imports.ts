// Logs on their way in: which files wait for a decision, which are being sent or worked on. It outlives a change of page.
import { useSyncExternalStore } from 'react';
import { createProject, type Import, readImport, ServiceError, startImport } from '../client';
import { asServiceError, forgetAnswers } from './answers';

/** How often the service is asked about a running import. */
const POLL_MS = 250;
const FINAL: ReadonlySet<string> = new Set(['done', 'duplicate', 'failed']);

export interface Upload {
  key: string;
  file: File;
  project: string;
  bytes_sent: number;
  /** What the service says; null until the upload is complete. */
  import: Import | null;
  error: ServiceError | null;
}

interface State {
  waiting: File[];
  uploads: Upload[];
}

let state: State = { waiting: [], uploads: [] };
const listeners = new Set<() => void>();

function change(next: Partial<State>): void {
  state = { ...state, ...next };
  listeners.forEach((listener) => listener());
}

function changeUpload(key: string, next: Partial<Upload>): void {
  change({ uploads: state.uploads.map((upload) => (upload.key === key ? { ...upload, ...next } : upload)) });
}

export function useImports(): State {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => state);
}

export const isFinal = (upload: Upload): boolean =>
  upload.error !== null || (upload.import !== null && FINAL.has(upload.import.state));

export const chooseFiles = (files: Iterable<File>) => change({ waiting: [...state.waiting, ...files] });
export const dropWaiting = (file: File) => change({ waiting: state.waiting.filter((other) => other !== file) });
export const dropUpload = (key: string) => change({ uploads: state.uploads.filter((upload) => upload.key !== key) });

/** Sends all waiting files to a project, one after the other. */
export async function importWaiting(project: string, map: string): Promise<void> {
  const uploads = state.waiting.map((file): Upload => ({
    key: crypto.randomUUID(), file, project, bytes_sent: 0, import: null, error: null,
  }));
  change({ waiting: [], uploads: [...uploads, ...state.uploads] });
  for (const upload of uploads) await importOne(upload, map);
}

async function importOne({ key, project, file }: Upload, map: string): Promise<void> {
  try {
    let answer = await startImport(project, file, map, (bytes_sent) => changeUpload(key, { bytes_sent }));
    changeUpload(key, { import: answer, bytes_sent: file.size });
    while (!FINAL.has(answer.state)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      answer = await readImport(project, answer.id);
      changeUpload(key, { import: answer });
    }
  } catch (cause) {
    changeUpload(key, { error: asServiceError(cause) });
  }
  forgetAnswers();
}

export async function newProject(name: string): Promise<string> {
  const project = await createProject({ name, kind: 'imported' });
  forgetAnswers();
  return project.slug;
}
