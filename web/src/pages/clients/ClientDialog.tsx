// One client: what it is, what it can record, what it counted and where its events are, and what a lead can do about it.
import { type ReactNode, useEffect, useState } from 'react';
import type { Client } from '../../client';
import { approveClient, fleetPath, revokeClient, setTeam } from '../../client/fleet';
import { Confirm } from '../../components/Confirm';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { ErrorNote, Waiting } from '../../components/Notice';
import { formatBytes, formatNumber, formatTime, NOTHING } from '../../format';
import { formatAgo } from '../../format/ago';
import { useAnswer } from '../../state/answers';
import type { Live } from '../../state/live';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { verdict } from './balance';
import { ClientTag } from './ClientTag';
import { LostTag } from './LostTag';

interface ClientDialogProps { agent_id: string; live: Live; lead: boolean; now_ms: number; onClose: () => void }

export function ClientDialog({ agent_id, live, lead, now_ms, onClose }: ClientDialogProps) {
  const project = useProject();
  const { answer, error, again } = useAnswer(fleetPath.client(project.slug, agent_id));
  const changed = live.changed.get(agent_id);
  useEffect(() => { if (changed) again(); }, [changed]);
  return (
    <Dialog wide title={answer?.name ?? agent_id} onClose={onClose}>
      {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={360} /> : (
        <>
          <div className="row row-wrap">
            <ClientTag state={answer.state} /><LostTag balance={answer.balance} />
            {answer.why && <span className="muted">{answer.why}</span>}
          </div>
          {answer.last_error && (
            <div className="error-note"><Icon name="warning" /><div><strong>{answer.last_error.message}</strong><div>{answer.last_error.help}</div><div className="small muted">{answer.last_error.at && `${formatAgo(answer.last_error.at, now_ms)} · `}{t('error.code', { code: answer.last_error.code })}</div></div></div>
          )}
          {lead && <Actions client={answer} />}
          <div className="client-columns">
            <Facts client={answer} now_ms={now_ms} />
            <BalanceText client={answer} />
            <Capabilities client={answer} />
            <Counters client={answer} />
          </div>
          <History client={answer} />
        </>
      )}
    </Dialog>
  );
}

function Actions({ client }: { client: Client }) {
  const project = useProject();
  const work = useWork();
  const [team, setTeamText] = useState(client.team ?? '');
  const [revoking, setRevoking] = useState(false);
  return (
    <form className="client-actions" onSubmit={(event) => { event.preventDefault(); void work.run(() => setTeam(project.slug, client.agent_id, team.trim())); }}>
      <label className="field"><span>{t('clients.team')}</span><input className="input" maxLength={60} placeholder={t('clients.noTeam')} value={team} onChange={(event) => setTeamText(event.target.value)} /></label>
      <button type="submit" className="button" disabled={work.busy || team.trim() === (client.team ?? '')}>{t('action.save')}</button>
      <span className="grow" />
      {client.state === 'held' && <button type="button" className="button button-primary" disabled={work.busy} onClick={() => void work.run(() => approveClient(project.slug, client.agent_id))}>{t('detail.approve')}</button>}
      {client.state !== 'revoked' && <button type="button" className="button button-bad" onClick={() => setRevoking(true)}>{t('detail.revoke')}</button>}
      {work.error && <ErrorNote error={work.error} />}
      {revoking && (
        <Confirm title={t('detail.revoke.title', { name: client.name })} action={t('detail.revoke')} onClose={() => setRevoking(false)} onConfirm={() => revokeClient(project.slug, client.agent_id)}>
          <p>{t('detail.revoke.text')}</p>
        </Confirm>
      )}
    </form>
  );
}

function FactList({ title, facts }: { title: string; facts: [string, ReactNode][] }) {
  return (
    <section className="stack-tight">
      <h3>{title}</h3>
      <dl className="fact-rows small">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </section>
  );
}

function Facts({ client, now_ms }: { client: Client; now_ms: number }) {
  const clock = client.clock_offset_ms;
  return (
    <FactList
      title={t('clients.client')}
      facts={[
        [t('detail.id'), <code key="id" className="client-id">{client.agent_id}</code>],
        [t('detail.os'), client.os],
        [t('clients.version'), client.version],
        [t('clients.revision'), client.config_revision === null ? NOTHING : t('clients.revision.is', { revision: client.config_revision })],
        [t('detail.enrolled'), formatTime(client.enrolled_at)],
        [t('clients.seen'), client.last_seen_at ? formatAgo(client.last_seen_at, now_ms) : t('ago.never')],
        [t('detail.clock'), t(clock >= 0 ? 'detail.clock.ahead' : 'detail.clock.behind', { ms: Math.abs(clock) })],
        [t('detail.memory'), formatBytes(client.self.rss_bytes)],
        [t('detail.cpu'), client.self.cpu_ms_per_min === undefined ? NOTHING : t('detail.cpu.of', { ms: client.self.cpu_ms_per_min })],
      ]}
    />
  );
}

const VERDICTS = { settled: 'detail.balance.exact', open: 'detail.balance.open', lost: 'detail.balance.missing' } as const;

function BalanceText({ client }: { client: Client }) {
  const { admitted, stored, waiting, removed, refused, lost } = client.balance;
  return (
    <section className="stack-tight">
      <h3>{t('detail.balance')}</h3>
      <p>{t('detail.balance.formula', { admitted, stored, waiting, removed, refused, lost })}</p>
      <p className="muted">{t(VERDICTS[verdict(client.balance)])}</p>
      <dl className="fact-rows small">
        <div><dt>{t('clients.spool')}</dt><dd>{formatNumber(client.spool.events)} · {formatBytes(client.spool.bytes)}</dd></div>
        <div><dt>{t('detail.screenshots')}</dt><dd>{formatNumber(client.spool.screenshots)}</dd></div>
        <div><dt>{t('detail.oldest')}</dt><dd>{formatTime(client.spool.oldest)}</dd></div>
      </dl>
    </section>
  );
}

/** "partial: no AT-SPI" is the word and what it says. */
function capability(value: string): { sign: string; word: string; said: string } {
  const [kind, said = ''] = value.split(/:\s*(.*)/s);
  if (kind === 'yes') return { sign: '✓', word: t('detail.can.yes'), said };
  return kind === 'no' ? { sign: '✕', word: t('detail.can.no'), said } : { sign: '~', word: t('detail.can.partial'), said };
}

function Capabilities({ client }: { client: Client }) {
  return (
    <FactList
      title={t('detail.capabilities')}
      facts={Object.entries(client.capabilities).map(([name, value]) => {
        const { sign, word, said } = capability(value);
        return [name, <span key={name}><span aria-hidden="true">{sign}</span> {word}{said && <span className="muted">: {said}</span>}</span>];
      })}
    />
  );
}

function Counters({ client }: { client: Client }) {
  const facts = Object.entries(client.counters).flatMap(([name, value]): [string, string][] =>
    typeof value === 'number' ? [[name.replaceAll('_', ' '), formatNumber(value)]]
      : Object.entries(value).map(([what, count]) => [name === 'filtered' ? t('detail.filtered', { what }) : `${name}: ${what}`, formatNumber(count)]));
  return <FactList title={t('detail.counters')} facts={facts} />;
}

function History({ client }: { client: Client }) {
  return (
    <section className="stack-tight">
      <h3>{t('detail.history')}</h3>
      <ul className="client-history small">
        {client.history?.map((one, index) => <li key={index} className="row"><time className="muted">{formatTime(one.at)}</time><ClientTag state={one.state} />{one.why && <span className="muted">{one.why}</span>}</li>)}
      </ul>
    </section>
  );
}
