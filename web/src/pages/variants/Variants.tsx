// The page that answers "how differently is it done?": every distinct order of activities, most frequent first, and its cases.
import { useMemo } from 'react';
import type { Case, Variant } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel } from '../../components/AnalysisPanel';
import { CaseRuleButton } from '../../components/CaseRule';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { ErrorNote, NothingFound, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { Pager } from '../../components/Pager';
import { Sequence } from '../../components/Sequence';
import { formatDuration, formatNumber, formatShare, formatTime, shortKey } from '../../format';
import { useAnalysis } from '../../state/analysis';
import { changeQuery, usePlace } from '../../state/location';
import { t } from '../../text';
import { cumulated } from './cumulated';
import './variants.css';

const PAGE_ROWS = 50;
const STEPS_IN_LIST = 7;
/** Steps drawn of one opened variant; a longer one can be read in the time line. */
const STEPS_OPEN_MAX = 400;

export default function Variants() {
  const { query } = usePlace();
  const offset = Math.max(0, Number(query.get('offset')) || 0);
  const asked = useAnalysis('variants', { limit: offset + PAGE_ROWS });
  const all = useMemo(() => (asked.answer ? records<Variant>(asked.answer) : []), [asked.answer]);
  const shares = useMemo(() => cumulated(all), [all]);
  const chosen = query.get('chosen');
  return (
    <div className="stack">
      <AnalysisPanel title={t('variants.title')} asked={asked} height_px={520} controls={<CaseRuleButton />}>
        {(answer) => (
          <>
            <p className="muted small variants-note">{t('variants.note', { count: answer.total })}</p>
            <ol className="variants">
              {all.slice(offset).map((variant, index) => (
                <Item
                  key={variant.variant} variant={variant} number={offset + index + 1} cumulated={shares[offset + index]!} open={variant.variant === chosen}
                  most={all[0]!.share} onOpen={(open) => changeQuery({ chosen: open ? variant.variant : null, cases: null }, { replace: true })}
                />
              ))}
            </ol>
            <Pager total={answer.total} offset={offset} page_rows={PAGE_ROWS} onPage={(next) => changeQuery({ offset: next ? String(next) : null })} />
          </>
        )}
      </AnalysisPanel>
    </div>
  );
}

interface ItemProps {
  variant: Variant;
  number: number;
  cumulated: number;
  most: number;
  open: boolean;
  onOpen: (open: boolean) => void;
}

function Item({ variant, number, cumulated: sum, most, open, onOpen }: ItemProps) {
  return (
    <li className="variant" data-open={open}>
      <button type="button" className="variant-head" aria-expanded={open} onClick={() => onOpen(!open)}>
        <span className="variant-chevron"><Icon name={open ? 'chevron' : 'right'} size={16} /></span>
        <span className="variant-name">{t('variants.name', { number })}
          {variant.rework && <span className="tag tag-warm" title={t('variants.rework.note')}>{t('variants.rework')}</span>}
        </span>
        <span className="variant-share">
          <span className="variant-bar" aria-hidden="true">
            <span className="variant-bar-own" style={{ width: `${(variant.share / Math.max(most, 0.0001)) * 100}%` }} />
          </span>
          <span><strong>{formatShare(variant.share)}</strong> <span className="muted">{t('variants.sum', { share: formatShare(sum) })}</span></span>
        </span>
        <Figure name={t('column.cases')} value={formatNumber(variant.cases)} />
        <Figure name={t('variants.steps')} value={formatNumber(variant.activities.length)} />
        <Figure name={t('variants.p50')} value={formatDuration(variant.p50_s)} />
        <Figure name={t('variants.p90')} value={formatDuration(variant.p90_s)} />
      </button>
      <div className="variant-steps"><Sequence activities={variant.activities} shown_max={open ? STEPS_OPEN_MAX : STEPS_IN_LIST} wrap={open} /></div>
      {open && <Cases variant={variant} />}
    </li>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return <span className="variant-figure"><span className="muted small">{name}</span> <span>{value}</span></span>;
}

function Cases({ variant }: { variant: Variant }) {
  const { query } = usePlace();
  const offset = Math.max(0, Number(query.get('cases')) || 0);
  const { answer, error, again } = useAnalysis('cases', { variant: variant.variant, limit: 20, offset });
  const columns: TableColumn<Case>[] = [
    { name: 'case', title: t('column.case'), value: (row) => row.label ?? row.case, show: (row) => <PageLink page="timeline" add={{ case: String(row.case), in: variant.variant }}>{row.label || t('timeline.case', { key: shortKey(String(row.case)) })}</PageLink> },
    { name: 'user', title: t('column.user'), value: (row) => row.user, show: (row) => row.user ?? '' },
    { name: 'start', title: t('column.start'), value: (row) => row.start, show: (row) => formatTime(row.start) },
    { name: 'events', title: t('column.events'), numeric: true, value: (row) => row.events, show: (row) => formatNumber(row.events) },
    { name: 'duration', title: t('column.duration_s'), numeric: true, value: (row) => row.duration_s, show: (row) => formatDuration(row.duration_s) },
    { name: 'handling', title: t('column.handling_s'), numeric: true, value: (row) => row.handling_s, show: (row) => formatDuration(row.handling_s) },
  ];
  return (
    <div className="variant-cases stack-tight">
      <div className="row row-wrap">
        <h3 className="grow">{t('variants.cases')}</h3>
        <PageLink page="map" add={{ variant: variant.variant }} className="button button-small"><Icon name="map" size={16} />{t('variants.onMap')}</PageLink>
      </div>
      {error ? <ErrorNote error={error} again={again} />
        : !answer ? <Waiting height={120} />
        : answer.rows.length === 0 ? <NothingFound />
        : (
          <>
            <DataTable label={t('variants.cases')} columns={columns} rows={records<Case>(answer)} height_px={360} />
            <Pager total={answer.total} offset={offset} page_rows={20} onPage={(next) => changeQuery({ cases: next ? String(next) : null }, { replace: true })} />
          </>
        )}
    </div>
  );
}
