// The clients of a project: who records, who needs attention, what went wrong, and whether an event was lost. Follows live.
import { useEffect, useState } from 'react';
import '../../text/service';
import type { Client, Counts } from '../../client';
import { approveAll, CLIENT_STATES, fleetPath } from '../../client/fleet';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { Pager } from '../../components/Pager';
import { formatNumber, formatTime, NOTHING } from '../../format';
import { formatAgo } from '../../format/ago';
import { readRoute } from '../../routes';
import { useAnswer } from '../../state/answers';
import { type Live, useLive } from '../../state/live';
import { changeQuery, usePlace } from '../../state/location';
import { may } from '../../state/permissions';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { AlertsDialog } from './AlertsDialog';
import { ClientDialog } from './ClientDialog';
import { ClientTag } from './ClientTag';
import './clients.css';
import { ClientErrors } from './ClientErrors';
import { DeadLetters } from './DeadLetters';
import { LostTag } from './LostTag';

const PAGE_ROWS = 100;
/** A search is asked for when typing has paused this long. */
const TYPING_MS = 250;
/** "Last seen" is counted anew this often. */
const AGO_MS = 5_000;
/** A list that others changed is asked for anew at most this often. */
const AGAIN_MS = 1_000;
const ORDERS = ['-last_seen', 'last_seen', 'state', 'version', '-waiting'] as const;

export default function Clients() {
  const project = useProject();
  const { path, query } = usePlace();
  const part = readRoute(path).part;
  const now_ms = useClock();
  const live = useLive(project.slug);
  const lead = may('lead', project);
  return (
    <div className="stack">
      <nav className="tabs" aria-label={t('clients.parts')}>
        <PageLink page="clients" className="tab" current={part === null}><Icon name="screen" size={16} />{t('clients.title')}</PageLink>
        <PageLink page="clients" part="errors" className="tab" current={part === 'errors'}><Icon name="warning" size={16} />{t('clients.errors')}</PageLink>
        {lead && <PageLink page="clients" part="letters" className="tab" current={part === 'letters'}><Icon name="folder" size={16} />{t('clients.letters')}</PageLink>}
      </nav>
      {part === 'errors' ? <ClientErrors /> : part === 'letters' && lead ? <DeadLetters /> : <List live={live} lead={lead} now_ms={now_ms} />}
      {query.get('client') && <ClientDialog agent_id={query.get('client')!} live={live} lead={lead} now_ms={now_ms} onClose={() => changeQuery({ client: null })} />}
    </div>
  );
}

function List({ live, lead, now_ms }: { live: Live; lead: boolean; now_ms: number }) {
  const project = useProject();
  const { query } = usePlace();
  const offset = Math.max(0, Number(query.get('offset')) || 0);
  const [search, team] = ['search', 'team'].map((name) => query.get(name) || undefined);
  const state = chosenOf(CLIENT_STATES, query.get('state'));
  const sort = chosenOf(ORDERS, query.get('sort')) ?? '-last_seen';
  const { answer, error, loading, again } = useAnswer(fleetPath.clients(project.slug, { search, state, team, sort, limit: PAGE_ROWS, offset }));
  const [alerts, setAlerts] = useState(false);
  const counts = live.counts?.counts ?? answer?.counts ?? {};
  useNewClients(live, answer, again);

  const rows = answer?.clients.map((client) => live.changed.get(client.agent_id) ?? client) ?? [];
  const filtered = ['search', 'state', 'team'].some((name) => query.get(name));
  return (
    <>
      <StateFilter counts={counts} />
      <section className="panel" aria-label={t('clients.title')}>
        <div className="panel-head client-head">
          <LiveNote live={live} />
          {lead && <ApproveHeld held={counts.held ?? 0} />}
          {lead && <button type="button" className="button" onClick={() => setAlerts(true)}><Icon name="bell" size={16} />{t('clients.alerts')}</button>}
        </div>
        <div className="panel-body stack-tight">
          <Controls />
          <div className={loading && answer ? 'loading' : ''} aria-busy={loading}>
            {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={420} />
              : rows.length > 0 ? <DataTable label={t('clients.title')} columns={columnsOf(now_ms)} rows={rows} rowKey={(client) => client.agent_id} height_px={720} />
              : filtered ? <Empty icon="filter" title={t('clients.noMatch')} actions={<button type="button" className="button" onClick={() => changeQuery({ search: null, state: null, team: null, offset: null })}>{t('clients.clear')}</button>}>{t('clients.noMatch.text')}</Empty>
              : <Empty icon="screen" title={t('clients.none')} actions={lead && <PageLink page="people" part="keys" className="button button-primary">{t('clients.none.go')}</PageLink>}>{t('clients.none.text')}</Empty>}
          </div>
          {answer && <Pager total={answer.total} offset={offset} page_rows={PAGE_ROWS} onPage={(next) => changeQuery({ offset: next ? String(next) : null })} />}
        </div>
      </section>
      {alerts && <AlertsDialog onClose={() => setAlerts(false)} />}
    </>
  );
}

/** The word that the address has, if it is one of these. */
const chosenOf = <W extends string>(words: readonly W[], chosen: string | null): W | undefined => words.find((word) => word === chosen);

/** Asks for the list anew when a client appears that is not in it, or the number of clients has changed. */
function useNewClients(live: Live, answer: { counts: Counts } | null, again: () => void): void {
  const known = sum(answer?.counts ?? {});
  const now = sum(live.counts?.counts ?? answer?.counts ?? {});
  useEffect(() => {
    if (!answer || known === now) return;
    const timer = setTimeout(again, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [known, now]);
}

const sum = (counts: Counts) => Object.values(counts).reduce((total, count) => total + (count ?? 0), 0);

function useClock(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), AGO_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function columnsOf(now_ms: number): TableColumn<Client>[] {
  return [
    { name: 'name', title: t('clients.client'), head: true, show: (client) => <button type="button" className="button-link mono" onClick={() => changeQuery({ client: client.agent_id })}>{client.name}</button> },
    { name: 'state', title: t('keys.state'), show: (client) => <span className="row" style={{ gap: 8 }}><ClientTag state={client.state} />{client.why && <span className="muted small truncate client-why" title={client.why}>{client.why}</span>}</span> },
    { name: 'team', title: t('clients.team'), show: (client) => client.team ?? NOTHING },
    { name: 'seen', title: t('clients.seen'), show: (client) => <time title={formatTime(client.last_seen_at)}>{client.last_seen_at ? formatAgo(client.last_seen_at, now_ms) : t('ago.never')}</time> },
    { name: 'version', title: t('clients.version'), show: (client) => client.version },
    { name: 'revision', title: t('clients.revision'), show: (client) => <RevisionNote client={client} /> },
    { name: 'spool', title: t('clients.spool'), numeric: true, show: (client) => formatNumber(client.spool.events) },
    { name: 'lost', title: t('clients.lost'), show: (client) => <LostTag balance={client.balance} /> },
  ];
}

function RevisionNote({ client }: { client: Client }) {
  if (client.config_revision === null) return NOTHING;
  const behind = (client.revision_wanted ?? client.config_revision) - client.config_revision;
  return <span>{t('clients.revision.is', { revision: client.config_revision })}{behind > 0 && <> <span className="tag tag-warm">{t('clients.revision.behind', { count: behind })}</span></>}</span>;
}

function StateFilter({ counts }: { counts: Counts }) {
  const { query } = usePlace();
  const chosen = query.get('state');
  const present = CLIENT_STATES.filter((state) => (counts[state] ?? 0) > 0 || state === chosen);
  const choose = (state: string | null) => changeQuery({ state, offset: null });
  return (
    <div className="state-filter" role="group" aria-label={t('clients.filter')}>
      <button type="button" className="state-choice" aria-pressed={!chosen} onClick={() => choose(null)}><strong>{formatNumber(sum(counts))}</strong>{t('clients.all')}</button>
      {present.map((state) => (
        <button key={state} type="button" className="state-choice" aria-pressed={state === chosen} onClick={() => choose(state === chosen ? null : state)}><strong>{formatNumber(counts[state] ?? 0)}</strong><ClientTag state={state} /></button>
      ))}
    </div>
  );
}

function Controls() {
  const { query } = usePlace();
  const [search, setSearch] = useState(query.get('search') ?? '');
  useEffect(() => {
    const timer = setTimeout(() => { if (search !== (query.get('search') ?? '')) changeQuery({ search: search || null, offset: null }, { replace: true }); }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [search]);
  useEffect(() => setSearch(query.get('search') ?? ''), [query.get('search')]);
  return (
    <div className="client-controls">
      <label className="field"><span>{t('clients.search')}</span><input className="input" type="search" placeholder={t('clients.search.note')} value={search} onChange={(event) => setSearch(event.target.value)} /></label>
      <label className="field"><span>{t('clients.sort')}</span>
        <select className="input" value={query.get('sort') ?? '-last_seen'} onChange={(event) => changeQuery({ sort: event.target.value === '-last_seen' ? null : event.target.value, offset: null })}>
          {ORDERS.map((order) => <option key={order} value={order}>{t(`clients.sort.${order}`)}</option>)}
        </select>
      </label>
    </div>
  );
}

function LiveNote({ live }: { live: Live }) {
  return (
    <span className="live-note" data-live={live.connected}>
      <span className={live.connected ? 'live-dot live-on' : 'live-dot'} aria-hidden="true" />
      {live.counts ? t('clients.live', { count: live.counts.events_per_min }) : t('clients.live.off')}
    </span>
  );
}

function ApproveHeld({ held }: { held: number }) {
  const project = useProject();
  const work = useWork();
  if (held === 0) return null;
  return (
    <>
      <button type="button" className="button" disabled={work.busy} onClick={() => void work.run(() => approveAll(project.slug, null))}><Icon name="check" size={16} />{t('clients.approveAll', { count: held })}</button>
      {work.error && <ErrorNote error={work.error} />}
    </>
  );
}
