// The page that answers "where do people carry data by hand?": copy → paste pairs between applications, screens or fields, and
// values that are typed again.
import type { EChartsCoreOption } from 'echarts/core';
import { useMemo } from 'react';
import type { CopyPaste as Pair } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel } from '../../components/AnalysisPanel';
import { Chart } from '../../components/chart/Chart';
import { chartColours, nameColour } from '../../components/chart/palette';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Segmented } from '../../components/Segmented';
import { formatDuration, formatNumber } from '../../format';
import { useAnalysis } from '../../state/analysis';
import { withValue } from '../../state/filters';
import { changeQuery, goTo, usePlace, withQuery } from '../../state/location';
import { type Theme, useTheme } from '../../state/theme';
import { t } from '../../text';
import { flows, type Flows, type Level } from './flows';

const ASKED_PAIRS_MAX = 2000;
/** Below this width of the window the names beside the flows are cut shorter. */
const NARROW_PX = 700;

export default function CopyPaste() {
  const asked = useAnalysis('copy_paste', { limit: ASKED_PAIRS_MAX });
  const retyping = useAnalysis('retyping', { limit: ASKED_PAIRS_MAX });
  const { path, query } = usePlace();
  const theme = useTheme();
  const level = readLevel(query.get('level'));
  const pairs = useMemo(() => (asked.answer ? records<Pair>(asked.answer) : []), [asked.answer]);
  const drawn = useMemo(() => flows(pairs, level), [pairs, level]);
  const option = useMemo(() => sankeyOption(drawn, theme), [drawn, theme]);
  const height_px = Math.min(900, Math.max(300, 34 * Math.max(drawn.sources.length, drawn.targets.length)));
  const filter = (application: string) => goTo(withQuery(path, withValue(query, 'application', application)));
  const first = drawn.links[0];
  const total = pairs.reduce((sum, pair) => sum + pair.pairs, 0);
  return (
    <div className="stack">
      <AnalysisPanel
        title={t('copyPaste.title')} asked={asked} height_px={height_px} nothing={t('copyPaste.nothing')}
        foot={drawn.left_out > 0 ? <p>{t('copyPaste.leftOut', { count: drawn.left_out })}</p> : undefined}
        controls={(
          <Segmented
            label={t('copyPaste.level')} value={level} onChange={(value) => changeQuery({ level: value === 'element' ? null : value }, { replace: true })}
            choices={[{ value: 'application', text: t('column.application') }, { value: 'screen', text: t('column.screen') }, { value: 'element', text: t('column.element') }]}
          />
        )}
      >
        {() => (
          <Chart
            kind="sankey" option={option} height_px={height_px}
            summary={t('copyPaste.summary', { count: total, links: drawn.links.length, from: first?.source.name ?? '', to: first?.target.name ?? '', top: first?.pairs ?? 0 })}
            onPick={({ data }) => {
              const picked = data as { application?: string; from_application?: string };
              const application = picked.application ?? picked.from_application;
              if (application) filter(application);
            }}
          />
        )}
      </AnalysisPanel>
      {pairs.length > 0 && (
        <section className="panel" aria-label={t('copyPaste.list')}>
          <div className="panel-head"><h2>{t('copyPaste.list')}</h2></div>
          <div className="panel-body"><PairTable pairs={pairs} onFilter={filter} /></div>
        </section>
      )}
      <AnalysisPanel title={t('copyPaste.retyping')} asked={retyping} height_px={420} nothing={t('copyPaste.noRetyping')} />
    </div>
  );
}

const readLevel = (text: string | null): Level => (text === 'application' || text === 'screen' ? text : 'element');

function PairTable({ pairs, onFilter }: { pairs: Pair[]; onFilter: (application: string) => void }) {
  const application = (name: string) => (
    <button type="button" className="button-link" onClick={() => onFilter(name)} aria-label={t('filter.only', { value: name, detail: '' })}>{name}</button>
  );
  const columns: TableColumn<Pair>[] = [
    { name: 'from_application', title: t('column.from_application'), value: (pair) => pair.from_application, show: (pair) => application(pair.from_application) },
    { name: 'from_screen', title: t('column.from_screen'), value: (pair) => pair.from_screen, show: (pair) => pair.from_screen ?? '' },
    { name: 'from_element', title: t('column.from_element'), value: (pair) => pair.from_element, show: (pair) => pair.from_element ?? '' },
    { name: 'to_application', title: t('column.to_application'), value: (pair) => pair.to_application, show: (pair) => application(pair.to_application) },
    { name: 'to_screen', title: t('column.to_screen'), value: (pair) => pair.to_screen, show: (pair) => pair.to_screen ?? '' },
    { name: 'to_element', title: t('column.to_element'), value: (pair) => pair.to_element, show: (pair) => pair.to_element ?? '' },
    { name: 'pairs', title: t('column.pairs'), numeric: true, value: (pair) => pair.pairs, show: (pair) => formatNumber(pair.pairs) },
    { name: 'users', title: t('column.users'), numeric: true, value: (pair) => pair.users, show: (pair) => formatNumber(pair.users) },
    { name: 'p50_s', title: t('copyPaste.p50'), numeric: true, value: (pair) => pair.p50_s, show: (pair) => formatDuration(pair.p50_s) },
  ];
  return <DataTable label={t('copyPaste.list')} columns={columns} rows={pairs} height_px={420} />;
}

function sankeyOption({ sources, targets, links }: Flows, theme: Theme): EChartsCoreOption {
  const narrow = window.innerWidth < NARROW_PX;
  const side = narrow ? '31%' : '24%';
  const colours = chartColours(theme);
  const node = (side: 'left' | 'right') => ({ id, name, application }: Flows['sources'][number]) => ({
    name: id, shown: name, application, itemStyle: { color: nameColour(application, theme), borderWidth: 0 },
    // The names stand outside the flow, where there is nothing behind them.
    label: { position: side },
  });
  return {
    animation: false,
    tooltip: {
      backgroundColor: colours.surface, borderColor: colours.line, textStyle: { color: colours.text, fontSize: 13 },
      renderMode: 'richText',
      formatter: ({ data, value }: { data: { text?: string; shown?: string }; value: number }) => `${data.text ?? data.shown}\n${t('count.pairs', { count: value })}`,
    },
    series: [{
      type: 'sankey', left: side, right: side, top: 8, bottom: 8, nodeWidth: 12, nodeGap: 10, draggable: false, layoutIterations: 48,
      emphasis: { focus: 'adjacency' },
      label: { color: colours.text, fontSize: 12, width: narrow ? 100 : 220, overflow: 'truncate', formatter: ({ data }: { data: { shown: string } }) => data.shown },
      lineStyle: { color: 'source', opacity: theme === 'light' ? 0.32 : 0.38, curveness: 0.5 },
      data: [...sources.map(node('left')), ...targets.map(node('right'))],
      links: links.map((link) => ({ source: link.source.id, target: link.target.id, value: link.pairs, from_application: link.source.application, text: `${link.source.name} → ${link.target.name}` })),
    }],
  };
}
