// The frame of every chart: title, formula, switch between chart and table, download, and what to show instead of figures.
import type { ReactNode } from 'react';
import type { Answer } from '../client';
import type { AskedAnalysis } from '../state/analysis';
import { changeQuery, usePlace } from '../state/location';
import { t } from '../text';
import { AnswerTable } from './AnswerTable';
import { Formula } from './Formula';
import { Icon } from './Icon';
import { AnswerFailure, NothingFound, Waiting } from './Notice';
import { Popover } from './Popover';
import { Segmented } from './Segmented';

interface AnalysisPanelProps {
  title: string;
  asked: AskedAnalysis;
  className?: string;
  height_px?: number;
  /** Further controls in the head. */
  controls?: ReactNode;
  foot?: ReactNode;
  /** What to say when there are no rows although no filter is set. */
  nothing?: string;
  /** The chart. Without it the answer is shown as a table only. */
  children?: (answer: Answer) => ReactNode;
}

export function AnalysisPanel({ title, asked, className = '', height_px = 320, controls, foot, nothing, children }: AnalysisPanelProps) {
  const { answer, error, loading, again } = asked;
  const [asTable, setAsTable] = useTableView(answer?.name ?? '');
  const table = !children || asTable;
  return (
    <section className={`panel ${className}`} aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        {controls}
        {answer && (
          <>
            {children && (
              <Segmented
                label={t('view.label', { of: title })} value={table ? 'table' : 'chart'} onChange={(value) => setAsTable(value === 'table')}
                choices={[
                  { value: 'chart', text: <Icon name="chart" size={16} />, label: t('view.chart') },
                  { value: 'table', text: <Icon name="table" size={16} />, label: t('view.table') },
                ]}
              />
            )}
            <span className="row" style={{ gap: 0 }}>
              <Formula of={title} text={answer.formula} />
              <Download of={title} fileAddress={asked.fileAddress} />
            </span>
          </>
        )}
      </div>
      <div className={`panel-body ${loading && answer ? 'loading' : ''}`} aria-busy={loading}>
        {error ? <AnswerFailure error={error} again={again} />
          : !answer ? <Waiting height={height_px} />
          : answer.rows.length === 0 ? <NothingFound what={nothing} />
          : table ? <AnswerTable answer={answer} label={t('table.of', { of: title })} height_px={Math.max(height_px, 240)} />
          : children(answer)}
      </div>
      {answer && (foot || answer.suppressed > 0 || answer.total > answer.rows.length) && (
        <div className="panel-foot">
          {foot}
          {answer.total > answer.rows.length && <p>{t('table.part', { shown: answer.rows.length, total: answer.total })}</p>}
          {answer.suppressed > 0 && <p>{t('group.suppressed', { count: answer.suppressed, size: answer.min_group_size })}</p>}
        </div>
      )}
    </section>
  );
}

/** Which panels show their table, kept in the address as `table=a,b`. */
function useTableView(name: string): [boolean, (on: boolean) => void] {
  const { query } = usePlace();
  const names = (query.get('table') ?? '').split(',').filter(Boolean);
  const set = (on: boolean) => {
    const next = on ? [...names, name] : names.filter((other) => other !== name);
    changeQuery({ table: next.join(',') || null }, { replace: true });
  };
  return [names.includes(name), set];
}

export function Download({ of, fileAddress }: { of: string; fileAddress: (format: 'csv' | 'parquet') => string }) {
  return (
    <Popover
      className="button button-quiet button-icon button-small" align="end" boxClassName="menu" label={t('download.open', { of })}
      button={<Icon name="download" size={16} />}
    >
      {(close) => (
        <>
          <a className="menu-item" href={fileAddress('csv')} download onClick={close}>{t('download.csv')}</a>
          <a className="menu-item" href={fileAddress('parquet')} download onClick={close}>{t('download.parquet')}</a>
        </>
      )}
    </Popover>
  );
}
