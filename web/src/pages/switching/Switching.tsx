// The page that answers "what breaks concentration?": a matrix of which application follows which, and the round trips.
import type { Overview, Switch } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel } from '../../components/AnalysisPanel';
import { Bars } from '../../components/Bars';
import { Segmented } from '../../components/Segmented';
import { formatCompact, formatNumber, formatShare } from '../../format';
import { useAnalysis } from '../../state/analysis';
import { withValue } from '../../state/filters';
import { changeQuery, goTo, usePlace, withQuery } from '../../state/location';
import { t } from '../../text';
import { matrix } from './matrix';
import './switching.css';

/** A matrix of more rows cannot be read; the table twin has them all. */
const APPLICATIONS_MAX = 16;

export default function Switching() {
  return (
    <div className="stack">
      <Figures />
      <div className="grid">
        <Matrix />
        <RoundTrips />
      </div>
    </div>
  );
}

function Figures() {
  const { answer } = useAnalysis('overview');
  const figures = answer && records<Overview>(answer)[0];
  if (!figures) return null;
  const shown: [string, string, string][] = [
    [t('column.switches_per_active_hour'), formatNumber(figures.switches_per_active_hour), t('switching.perHour')],
    [t('column.switches'), formatCompact(figures.switches), t('switching.switches')],
    [t('column.round_trips'), formatCompact(figures.round_trips), figures.switches ? t('switching.roundTripShare', { share: formatShare(figures.round_trips / figures.switches) }) : ''],
  ];
  return (
    <dl className="figures figures-three">
      {shown.map(([title, value, note]) => <div className="figure" key={title}><dt>{title}</dt><dd>{value}<small>{note}</small></dd></div>)}
    </dl>
  );
}

function Matrix() {
  const asked = useAnalysis('switches', { limit: 5000 });
  const { path, query } = usePlace();
  const measure = query.get('measure') === 'round_trips' ? 'round_trips' : 'switches';
  const filter = (from: string, to: string) => goTo(withQuery(path, withValue(withValue(query, 'application', from), 'application', to)));
  return (
    <AnalysisPanel
      title={t('switching.matrix')} asked={asked} className="span-8" height_px={420}
      controls={(
        <Segmented
          label={t('switching.measure')} value={measure} onChange={(value) => changeQuery({ measure: value === 'switches' ? null : value }, { replace: true })}
          choices={[{ value: 'switches', text: t('column.switches') }, { value: 'round_trips', text: t('column.round_trips') }]}
        />
      )}
    >
      {(answer) => {
        const { names, left_out, value, most } = matrix(records<Switch>(answer), measure, APPLICATIONS_MAX);
        return (
          <>
            <div className="matrix-scroll" tabIndex={0} role="group" aria-label={t('switching.matrix')}>
              <table className="matrix">
                <caption className="visually-hidden">{t('switching.caption')}</caption>
                <thead>
                  <tr>
                    <td><span className="muted small">{t('switching.fromTo')}</span></td>
                    {names.map((name) => <th scope="col" key={name}><span className="truncate" title={name}>{name}</span></th>)}
                  </tr>
                </thead>
                <tbody>
                  {names.map((from) => (
                    <tr key={from}>
                      <th scope="row"><span className="truncate" title={from}>{from}</span></th>
                      {names.map((to) => {
                        const count = value(from, to);
                        const ground = heat(count / most);
                        return (
                          <td key={to}>
                            {count > 0 ? (
                              <button
                                type="button" className={ground.strong ? 'heat heat-strong' : 'heat'} style={{ background: `rgb(var(--heat) / ${ground.opacity})` }}
                                onClick={() => filter(from, to)} aria-label={t('switching.cell', { from, to, count })}
                              >
                                {formatCompact(count)}
                              </button>
                            ) : <span className="heat heat-none" aria-hidden="true">{from === to ? '' : '·'}</span>}
                          </td>
                        );
                      })}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {left_out > 0 && <p className="muted small">{t('switching.leftOut', { count: left_out })}</p>}
          </>
        );
      }}
    </AnalysisPanel>
  );
}

/** How strong the ground of a cell is. The middle is left out, because neither dark nor light figures can be read on it. */
function heat(share: number): { strong: boolean; opacity: number } {
  const strong = share > 0.5;
  return { strong, opacity: strong ? 0.88 + 0.24 * (share - 0.5) : 0.06 + 0.64 * share };
}

function RoundTrips() {
  const asked = useAnalysis('switches', { limit: 5000 });
  const { path, query } = usePlace();
  return (
    <AnalysisPanel title={t('switching.roundTrips')} asked={asked} className="span-4" height_px={420}>
      {(answer) => {
        const rows = records<Switch>(answer).filter((row) => row.round_trips > 0).sort((a, b) => b.round_trips - a.round_trips).slice(0, 12);
        if (rows.length === 0) return <p className="muted">{t('switching.noRoundTrips')}</p>;
        return (
          <Bars
            bars={rows.map((row) => ({
              key: `${row.from_application}\n${row.to_application}`, name: `${row.from_application} ⇄ ${row.to_application}`, length: row.round_trips / rows[0]!.round_trips,
              detail: formatNumber(row.round_trips), label: t('switching.trip', { from: row.from_application, to: row.to_application, count: row.round_trips }),
            }))}
            onPick={({ key }) => {
              const [from, to] = key.split('\n') as [string, string];
              goTo(withQuery(path, withValue(withValue(query, 'application', from), 'application', to)));
            }}
          />
        );
      }}
    </AnalysisPanel>
  );
}
