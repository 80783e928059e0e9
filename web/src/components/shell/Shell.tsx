// The frame around every page: finds out who asks, the project and the page of the address, and says what is wrong when there is none.
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { type Me, path, type Project } from '../../client';
import { pagePath, PAGES, readRoute, type Route } from '../../routes';
import { useMe } from '../../state/account';
import { forgetAnswers, useAnswer } from '../../state/answers';
import { carriedFilters } from '../../state/filters';
import { goTo, usePlace, withQuery } from '../../state/location';
import { may } from '../../state/permissions';
import { ProjectContext } from '../../state/project';
import { t } from '../../text';
import { Denied } from '../Denied';
import { Icon } from '../Icon';
import { Empty, ErrorNote, Waiting } from '../Notice';
import { AddressLink } from '../PageLink';
import { Banners } from './Banners';
import { DropZone } from './DropZone';
import { FilterBar } from './FilterBar';
import { Side } from './Side';

const SignIn = lazy(() => import('../../pages/access/SignIn'));

/** How often the list of projects is asked for while jobs are at work. */
const WORKING_POLL_MS = 1500;

export function Shell() {
  const { path: place } = usePlace();
  const { me, error } = useMe();
  const Open = readRoute(place).open;
  if (Open) return <Alone><Open /></Alone>;
  if (!me) return <Alone>{error ? <ErrorNote error={error} /> : <Waiting height={240} />}</Alone>;
  // Whoever is not signed in stays at the address and sees it after signing in.
  if (!me.account) return <Alone><SignIn me={me} /></Alone>;
  return <Workplace me={me} />;
}

/** A page without side bar and project. */
function Alone({ children }: { children: ReactNode }) {
  return (
    <main id="content" className="alone">
      <span className="brand"><img src="/icon.svg" alt="" />{t('brand')}</span>
      <Suspense fallback={<Waiting height={240} />}>{children}</Suspense>
    </main>
  );
}

function Workplace({ me }: { me: Me }) {
  const { path: place, query } = usePlace();
  const route = readRoute(place);
  const [working, setWorking] = useState(false);
  const list = useAnswer(path.projects(), working ? WORKING_POLL_MS : null);
  const projects = list.answer?.projects ?? [];
  const project = projects.find((one) => one.slug === route.project || one.id === route.project) ?? null;
  const [menu, setMenu] = useState(false);

  useEffect(() => setWorking(project?.jobs.state === 'running'), [project?.jobs.state]);
  useFreshFigures(project);
  useEffect(() => {
    if (place !== '/' || !list.answer) return;
    const first = projects[0];
    goTo(first ? withQuery(pagePath(first.slug, firstPage(first)), carriedFilters(query)) : '/new', { replace: true });
  }, [place, list.answer]);
  useEffect(() => {
    document.title = [route.page && t(route.page.title), project?.name, t('brand')].filter(Boolean).join(' · ');
  }, [route.page, project?.name]);

  return (
    <>
      <a href="#content" className="skip button button-primary">{t('shell.skip')}</a>
      <div className="shell">
        <header className="top-bar">
          <button type="button" className="button button-quiet button-icon" aria-label={t('shell.menu')} aria-expanded={menu} onClick={() => setMenu(true)}>
            <Icon name="menu" />
          </button>
          <span className="brand"><img src="/icon.svg" alt="" />{t('brand')}</span>
          <span className="grow" />
          {project && <span className="truncate muted">{project.name}</span>}
        </header>
        <Side me={me} projects={projects} project={project} page={route.page?.name ?? null} open={menu} onClose={() => setMenu(false)} />
        <div className="main">
          <Banners project={project} />
          {list.error && !list.answer ? (
            <main id="content" className="page-body"><h1 className="visually-hidden">{t('brand')}</h1><ErrorNote error={list.error} again={list.again} /></main>
          ) : list.answer ? (
            <Content me={me} route={route} project={project} projects={projects} />
          ) : (
            <main id="content" className="page-body"><h1 className="visually-hidden">{t('brand')}</h1><Waiting height={320} /></main>
          )}
        </div>
      </div>
      <DropZone project={project} />
    </>
  );
}

/** The first page that one's role opens. */
const firstPage = (project: Project): string => PAGES.find((one) => may(one.needs, project))?.name ?? 'overview';

/** Asks all figures anew when the jobs have built new tables behind the page's back. */
function useFreshFigures(project: Project | null): void {
  const built = project ? `${project.id} ${project.jobs.built_at}` : null;
  const [seen, setSeen] = useState<string | null>(null);
  useEffect(() => {
    const same = seen?.split(' ')[0] === built?.split(' ')[0];
    if (seen !== null && same && seen !== built) forgetAnswers();
    setSeen(built);
  }, [built]);
}

function Content({ me, route, project, projects }: { me: Me; route: Route; project: Project | null; projects: Project[] }) {
  if (!route.page || (route.project && !project)) return <Missing route={route} projects={projects} />;
  const Page = route.page.component;
  const analysis = route.page.group === 'see' || route.page.group === 'flow';
  const allowed = may(route.page.needs, project, me.account?.admin);
  const noData = project !== null && project.events === 0 && (analysis || route.page.name === 'data');
  const filtered = project !== null && analysis && allowed && !noData;
  return (
    <ProjectContext value={project}>
      <main id="content" tabIndex={-1} style={{ outline: 'none' }} key={project?.slug ?? ''}>
        <div className="page-head">
          <h1>{t(route.page.title)}</h1>
          {project && analysis && may('lead', project) && (
            <AddressLink className="button" address={pagePath(project.slug, 'import')}><Icon name="import" />{t('import.open')}</AddressLink>
          )}
        </div>
        {filtered && <FilterBar />}
        <div className="page-body">
          {!allowed ? <Denied need={route.page.needs} /> : noData ? <NoData project={project} /> : (
            <Suspense fallback={<Waiting height={320} />} key={route.page.name}><Page /></Suspense>
          )}
        </div>
      </main>
    </ProjectContext>
  );
}

function NoData({ project }: { project: Project }) {
  const enrolled = project.kind === 'enrolled';
  return (
    <div className="panel">
      <Empty
        icon="import" title={t('empty.data.title', { project: project.name })}
        actions={(
          <>
            {enrolled && may('oversight', project) && <AddressLink className="button button-primary" address={pagePath(project.slug, 'clients')}>{t('empty.data.clients')}</AddressLink>}
            {may('lead', project) && <AddressLink className={enrolled ? 'button' : 'button button-primary'} address={pagePath(project.slug, 'import')}>{t('import.open')}</AddressLink>}
          </>
        )}
      >
        {enrolled ? t('empty.data.enrolled') : t('empty.data.text')}
      </Empty>
    </div>
  );
}

function Missing({ route, projects }: { route: Route; projects: Project[] }) {
  const target = projects[0] ? pagePath(projects[0].slug, firstPage(projects[0])) : '/new';
  return (
    <main id="content">
      <div className="page-head"><h1>{t('missing.title')}</h1></div>
      <div className="page-body">
        <div className="panel">
          <Empty
            title={route.project ? t('missing.project', { project: route.project }) : t('missing.page')}
            actions={<a className="button" href={target} onClick={(event) => { event.preventDefault(); goTo(target); }}>{t('missing.go')}</a>}
          />
        </div>
      </div>
    </main>
  );
}
