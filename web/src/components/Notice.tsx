// What stands where figures would be: nothing yet, nothing found, or an error, always with what to do next.
import type { ReactNode } from 'react';
import type { ServiceError } from '../client';
import { hasFilters, withoutFilters } from '../state/filters';
import { pagePath } from '../routes';
import { goTo, usePlace, withQuery } from '../state/location';
import { useProject } from '../state/project';
import { t } from '../text';
import { Icon, type IconName } from './Icon';

interface EmptyProps {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}

export function Empty({ icon = 'folder', title, children, actions }: EmptyProps) {
  return (
    <div className="empty">
      <Icon name={icon} size={32} />
      <p><strong style={{ color: 'var(--text)' }}>{title}</strong></p>
      {children && <p>{children}</p>}
      {actions && <div className="row">{actions}</div>}
    </div>
  );
}

export function ClearFiltersButton() {
  const { path, query } = usePlace();
  return (
    <button type="button" className="button" onClick={() => goTo(withQuery(path, withoutFilters(query)))}>
      {t('filter.clear')}
    </button>
  );
}

/** No rows: either the filter leaves nothing over, or there is nothing of this kind in the data. */
export function NothingFound({ what }: { what?: string }) {
  const { query } = usePlace();
  if (hasFilters(query)) {
    return (
      <Empty icon="filter" title={t('empty.filter.title')} actions={<ClearFiltersButton />}>
        {t('empty.filter.text')}
      </Empty>
    );
  }
  return <Empty icon="table" title={t('empty.rows.title')}>{what ?? t('empty.rows.text')}</Empty>;
}

export function ErrorNote({ error, again }: { error: ServiceError; again?: () => void }) {
  return (
    <div className="error-note" role="alert">
      <Icon name="warning" />
      <div className="grow">
        <strong>{error.message}</strong>
        {error.line !== null && <div>{t('error.at', { line: error.line, column: error.column ?? 1 })}</div>}
        {error.hint && <div>{error.hint}</div>}
        <div className="small muted">{t('error.code', { code: error.code })}</div>
      </div>
      {error.code === 'no_second_factor' && <a className="button button-small" href="/account" onClick={(event) => { event.preventDefault(); goTo('/account'); }}>{t('error.secondFactor')}</a>}
      {again && <button type="button" className="button button-small" onClick={again}>{t('action.again')}</button>}
    </div>
  );
}

/** A question that failed: without tables there is nothing wrong with it, the jobs only have not built them. */
export function AnswerFailure({ error, again }: { error: ServiceError; again: () => void }) {
  const project = useProject();
  if (error.code !== 'not_found') return <ErrorNote error={error} again={again} />;
  const jobs = pagePath(project.slug, 'data', 'jobs');
  return (
    <Empty
      icon="refresh" title={t('empty.jobs.title')}
      actions={<a className="button" href={jobs} onClick={(event) => { event.preventDefault(); goTo(jobs); }}>{t('empty.jobs.go')}</a>}
    >
      {t('empty.jobs.text')}
    </Empty>
  );
}

/** A part that failed; one that this service does not know yet is told calmly, because nothing went wrong. */
export function PartFailure({ error, again }: { error: ServiceError; again?: () => void }) {
  if (error.code !== 'not_found') return <ErrorNote error={error} again={again} />;
  return <div data-missing="true"><Empty icon="shield" title={t('empty.part.title')}>{t('empty.part.text')}</Empty></div>;
}

export function Waiting({ height = 200 }: { height?: number }) {
  return (
    <div role="status">
      <div className="skeleton" style={{ height }} />
      <span className="visually-hidden">{t('state.loading')}</span>
    </div>
  );
}
