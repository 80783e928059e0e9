// The side bar: project switcher, pages by group as far as one's role opens them, account, theme. On a narrow screen it is a drawer.
import { useEffect, useRef } from 'react';
import { type Me, path, type Project } from '../../client';
import { formatCompact } from '../../format';
import { type Page, pagePath, PAGES } from '../../routes';
import { useAnswer } from '../../state/answers';
import { carriedFilters } from '../../state/filters';
import { usePlace, withQuery } from '../../state/location';
import { may } from '../../state/permissions';
import { chooseTheme, themeChoice, useTheme } from '../../state/theme';
import { t } from '../../text';
import { Icon } from '../Icon';
import { AddressLink } from '../PageLink';
import { Popover } from '../Popover';
import { Segmented } from '../Segmented';
import { Account } from './Account';

interface SideProps {
  me: Me;
  projects: Project[];
  project: Project | null;
  page: string | null;
  open: boolean;
  onClose: () => void;
}

const GROUPS = ['see', 'flow', 'data', 'recording'] as const;
const GROUP_TITLES = { see: 'nav.see', flow: 'nav.flow', data: 'nav.data', recording: 'nav.recording' } as const;

export function Side({ me, projects, project, page, open, onClose }: SideProps) {
  const { query } = usePlace();
  const side = useRef<HTMLElement>(null);
  const status = useAnswer(path.status()).answer;
  useEffect(() => {
    if (open) side.current?.querySelector<HTMLElement>('a, button')?.focus();
  }, [open]);
  const address = (name: string) =>
    project ? withQuery(pagePath(project.slug, name), carriedFilters(query)) : '/import';
  return (
    <>
      {open && <button type="button" className="side-veil" aria-label={t('action.close')} onClick={onClose} />}
      <aside
        ref={side} className={`side ${open ? 'side-open' : ''}`} aria-label={t('shell.side')}
        onKeyDown={(event) => { if (event.key === 'Escape' && open) onClose(); }}
      >
        <AddressLink address="/" className="brand" onGone={onClose}><img src="/icon.svg" alt="" />{t('brand')}</AddressLink>
        <ProjectSwitcher projects={projects} project={project} page={page} onGone={onClose} />
        <nav aria-label={t('nav.label')}>
          {project && GROUPS.filter((group) => seen(project, group).length > 0).map((group) => (
            <div className="nav-group" key={group}>
              <div className="nav-name">{t(GROUP_TITLES[group])}</div>
              <ul>
                {seen(project, group).map((one) => (
                  <li key={one.name}>
                    <AddressLink address={address(one.name)} className="nav-link" current={one.name === page} onGone={onClose}>
                      <Icon name={one.icon} />{t(one.title)}
                    </AddressLink>
                  </li>
                ))}
              </ul>
            </div>
          ))}
          {!project && (
            <>
              <AddressLink address="/new" className="nav-link" current={page === 'new'} onGone={onClose}><Icon name="plus" />{t('page.new')}</AddressLink>
              <AddressLink address="/import" className="nav-link" current={page === 'import'} onGone={onClose}><Icon name="import" />{t('page.import')}</AddressLink>
            </>
          )}
        </nav>
        <div className="side-foot">
          <Account me={me} onGone={onClose} />
          <ThemeSwitch />
          {status && (
            <p className="small muted">
              {status.loopback_only ? t('shell.loopback', { version: status.version }) : t('shell.version', { version: status.version })}
            </p>
          )}
        </div>
      </aside>
    </>
  );
}

/** The pages of a group that one's role opens. */
const seen = (project: Project, group: Page['group']) => PAGES.filter((one) => one.group === group && may(one.needs, project));

function ProjectSwitcher({ projects, project, page, onGone }: { projects: Project[]; project: Project | null; page: string | null; onGone: () => void }) {
  return (
    <Popover
      className="button switcher" boxClassName="menu"
      button={(
        <>
          <span className="switcher-text">
            <span className="truncate">{project?.name ?? t('project.none')}</span>
            <small className="truncate">{project ? t('project.events', { count: project.events, events: formatCompact(project.events) }) : t('project.choose')}</small>
          </span>
          <Icon name="chevron" />
        </>
      )}
    >
      {(close) => (
        <>
          {projects.map((one) => (
            <span key={one.id} onClick={close}>
              <AddressLink address={pagePath(one.slug, PAGES.some((known) => known.name === page) ? page! : 'overview')} className="menu-item" current={one.id === project?.id} onGone={onGone}>
                <span className="grow truncate">{one.name}</span>
                <span className="muted small">{formatCompact(one.events)}</span>
                {one.id === project?.id && <Icon name="check" />}
              </AddressLink>
            </span>
          ))}
          <span onClick={close}>
            <AddressLink address="/new" className="menu-item" onGone={onGone}>
              <Icon name="plus" />{t('project.new')}
            </AddressLink>
          </span>
        </>
      )}
    </Popover>
  );
}

function ThemeSwitch() {
  useTheme();
  return (
    <Segmented
      label={t('theme.label')} value={themeChoice()} onChange={chooseTheme}
      choices={[
        { value: 'system', text: <Icon name="screen" size={16} />, label: t('theme.system') },
        { value: 'light', text: <Icon name="sun" size={16} />, label: t('theme.light') },
        { value: 'dark', text: <Icon name="moon" size={16} />, label: t('theme.dark') },
      ]}
    />
  );
}
