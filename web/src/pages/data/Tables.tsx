// The schema browser: which tables there are, layer by layer, and what their columns mean.
import { path, type Table, type TableColumn as SchemaColumn } from '../../client';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { formatBytes, formatCompact, formatNumber, formatTime } from '../../format';
import { useAnswer } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { t } from '../../text';

const LAYERS = ['mart', 'intermediate', 'staging', 'custom', 'uploaded'] as const;

export default function Tables() {
  const project = useProject();
  const { query } = usePlace();
  const { answer, error, again } = useAnswer(path.tables(project.slug));
  if (error) return <ErrorNote error={error} again={again} />;
  if (!answer) return <Waiting height={420} />;
  if (answer.tables.length === 0) {
    return <div className="panel"><Empty icon="table" title={t('tables.none')} actions={<PageLink page="data" part="jobs" className="button">{t('data.jobs')}</PageLink>}>{t('tables.none.text')}</Empty></div>;
  }
  const ordered = LAYERS.flatMap((layer) => answer.tables.filter((table) => table.layer === layer));
  const chosen = ordered.find((table) => table.name === query.get('name')) ?? ordered[0]!;
  return (
    <div className="schema">
      <section className="panel" aria-label={t('data.tables')}>
        <div className="panel-body schema-list">
          {LAYERS.map((layer) => {
            const tables = ordered.filter((table) => table.layer === layer);
            return tables.length > 0 && (
              <div key={layer}>
                <h2 className="muted">{t(`layer.${layer}`)}</h2>
                <ul>
                  {tables.map((table) => (
                    <li key={table.name}>
                      <button type="button" className="schema-table" aria-current={table === chosen || undefined} onClick={() => changeQuery({ name: table.name })}>
                        <span className="mono truncate grow">{table.name}</span>
                        {table.stale && <span className="tag tag-warm">{t('state.stale')}</span>}
                        <span className="muted small">{table.rows === null ? '' : formatCompact(table.rows)}</span>
                      </button>
                    </li>
                  ))}
                </ul>
              </div>
            );
          })}
        </div>
      </section>
      <Facts table={chosen} />
    </div>
  );
}

function Facts({ table }: { table: Table }) {
  const facts: [string, string][] = [
    [t('tables.grain'), table.grain], [t('tables.rows'), formatNumber(table.rows)], [t('tables.size'), formatBytes(table.bytes)],
    [t('tables.built'), formatTime(table.built_at)], [t('tables.audience'), table.audience],
  ];
  const columns: TableColumn<SchemaColumn>[] = [
    { name: 'name', title: t('tables.column'), value: (row) => row.name, show: (row) => <span className="mono">{row.name}</span>, head: true },
    { name: 'type', title: t('tables.type'), value: (row) => row.type, show: (row) => row.type },
    { name: 'personal', title: t('tables.personal'), value: (row) => row.personal, show: (row) => row.personal && <span className="tag tag-warm"><Icon name="lock" size={12} />{t('tables.personal')}</span> },
    { name: 'description', title: t('tables.description'), wrap: true, show: (row) => row.description },
  ];
  return (
    <section className="panel" aria-label={table.name}>
      <div className="panel-head">
        <h2 className="mono">{table.name}</h2>
        <PageLink page="data" part="sql" add={{ sql: `SELECT *\nFROM ${table.name}` }} className="button button-small"><Icon name="play" size={14} />{t('tables.query')}</PageLink>
      </div>
      <div className="panel-body stack">
        <p>{table.description}</p>
        <dl className="fact-line">{facts.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
        <DataTable label={t('tables.columns', { table: table.name })} columns={columns} rows={table.columns} height_px={720} />
      </div>
    </section>
  );
}
