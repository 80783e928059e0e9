// The whole event log as a file, in the formats other programs read.
import { path } from '../../client';
import { Icon } from '../../components/Icon';
import { useProject } from '../../state/project';
import { t } from '../../text';

const FORMATS = ['parquet', 'csv', 'xes', 'ocel-json', 'ocel-sqlite'] as const;

export default function Exports() {
  const project = useProject();
  return (
    <section className="panel" aria-label={t('data.exports')}>
      <div className="panel-head"><h2>{t('exports.title')}</h2></div>
      <div className="panel-body">
        <p className="muted">{t('exports.text', { count: project.events })}</p>
        <ul className="exports">
          {FORMATS.map((format) => (
            <li key={format}>
              <div className="grow"><h3>{t(`exports.${format}`)}</h3><p className="muted small">{t(`exports.${format}.for`)}</p></div>
              <a className="button" href={path.export(project.slug, format)} download aria-label={t('exports.get', { format: t(`exports.${format}`) })}><Icon name="download" size={16} />{t('exports.download')}</a>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
