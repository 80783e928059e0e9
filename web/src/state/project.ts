// The project whose pages are open, given to every page below the shell. It fetches nothing.
import { createContext, useContext } from 'react';
import type { Project } from '../client';

export const ProjectContext = createContext<Project | null>(null);

export function useProject(): Project {
  const project = useContext(ProjectContext);
  if (!project) throw new Error('a page stands outside the shell');
  return project;
}

/** As `useProject`, for the one page that also works before there is a project. */
export const useProjectIfAny = (): Project | null => useContext(ProjectContext);
