// Takes files dropped anywhere on the window and opens the import page with them. It sends nothing by itself.
import { useEffect, useState } from 'react';
import type { Project } from '../../client';
import { pagePath } from '../../routes';
import { chooseFiles } from '../../state/imports';
import { goTo } from '../../state/location';
import { t } from '../../text';

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

export function DropZone({ project }: { project: Project | null }) {
  const [over, setOver] = useState(false);
  const slug = project?.slug ?? null;

  useEffect(() => {
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hover = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      chooseFiles(event.dataTransfer?.files ?? []);
      goTo(slug ? pagePath(slug, 'import') : '/import');
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', hover);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', hover);
      window.removeEventListener('drop', drop);
    };
  }, [slug]);

  return over ? <div className="drop-target">{t('import.drop')}</div> : null;
}
