// The filters that hold across pages, as chips one can take away, and the box that adds one.
import { useState } from 'react';
import { columnTitle } from '../../format/cells';
import { DATE_FILTERS, hasFilters, LIST_FILTERS, withDate, withoutFilters, withoutValue, withValue } from '../../state/filters';
import { formatDay } from '../../format';
import { path } from '../../client';
import { useAnswer } from '../../state/answers';
import { goTo, usePlace, withQuery } from '../../state/location';
import { useProject } from '../../state/project';
import { t } from '../../text';
import { Icon } from '../Icon';
import { Popover } from '../Popover';

/** So many names are offered to choose from; others can be typed. */
const OFFERED_MAX = 500;

export function FilterBar() {
  const place = usePlace();
  const { query } = place;
  const set = (next: URLSearchParams) => goTo(withQuery(place.path, next));
  return (
    <div className="filter-bar" role="group" aria-label={t('filter.label')}>
      {DATE_FILTERS.map((name) => {
        const value = query.get(name);
        return value && (
          <Chip key={name} name={name === 'from' ? t('filter.from') : t('filter.to')} value={formatDay(value)} onRemove={() => set(withoutValue(query, name, value))} />
        );
      })}
      {LIST_FILTERS.flatMap((name) => query.getAll(name).map((value) => (
        <Chip key={`${name} ${value}`} name={columnTitle(name)} value={value} onRemove={() => set(withoutValue(query, name, value))} />
      )))}
      <Popover className="button button-small" button={<><Icon name="filter" size={16} />{t('filter.add')}</>}>
        {(close) => <FilterForm query={query} onSet={set} onDone={close} />}
      </Popover>
      {hasFilters(query) && (
        <button type="button" className="button button-quiet button-small" onClick={() => set(withoutFilters(query))}>{t('filter.clear')}</button>
      )}
    </div>
  );
}

function Chip({ name, value, onRemove }: { name: string; value: string; onRemove: () => void }) {
  return (
    <span className="chip">
      <span className="chip-name">{name}</span>
      <span className="truncate">{value}</span>
      <button type="button" aria-label={t('filter.remove', { name, value })} onClick={onRemove}><Icon name="close" size={14} /></button>
    </span>
  );
}

function FilterForm({ query, onSet, onDone }: { query: URLSearchParams; onSet: (next: URLSearchParams) => void; onDone: () => void }) {
  const project = useProject();
  const all = { limit: OFFERED_MAX };
  const applications = useAnswer(path.analysis(project.slug, 'applications', all)).answer;
  const activities = useAnswer(path.analysis(project.slug, 'process_nodes', all)).answer;
  const [from, setFrom] = useState(query.get('from') ?? '');
  const [to, setTo] = useState(query.get('to') ?? '');
  const [application, setApplication] = useState('');
  const [activity, setActivity] = useState('');

  const apply = () => {
    let next = withDate(withDate(query, 'from', from), 'to', to);
    if (application) next = withValue(next, 'application', application);
    if (activity) next = withValue(next, 'activity', activity);
    onSet(next);
    onDone();
  };
  return (
    <form className="stack-tight" style={{ width: 300, maxWidth: '100%' }} onSubmit={(event) => { event.preventDefault(); apply(); }}>
      <div className="row">
        <label className="field grow"><span>{t('filter.from')}</span>
          <input className="input" type="date" value={from} max={to || undefined} onChange={(event) => setFrom(event.target.value)} />
        </label>
        <label className="field grow"><span>{t('filter.to')}</span>
          <input className="input" type="date" value={to} min={from || undefined} onChange={(event) => setTo(event.target.value)} />
        </label>
      </div>
      <label className="field"><span>{t('column.application')}</span>
        <select className="input" value={application} onChange={(event) => setApplication(event.target.value)}>
          <option value="">{t('filter.any')}</option>
          {applications?.rows.map((row) => <option key={String(row[0])}>{String(row[0])}</option>)}
        </select>
      </label>
      <label className="field"><span>{t('column.activity')}</span>
        <select className="input" value={activity} onChange={(event) => setActivity(event.target.value)}>
          <option value="">{t('filter.any')}</option>
          {activities?.rows.map((row) => <option key={String(row[0])}>{String(row[0])}</option>)}
        </select>
      </label>
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <button type="submit" className="button button-primary">{t('filter.apply')}</button>
      </div>
    </form>
  );
}
