// The page that answers "where does time go?": by application, by screen inside, and how long people stay.
import type { EChartsCoreOption } from 'echarts/core';
import { useMemo } from 'react';
import type { Application, FocusBlocks, Screen } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel } from '../../components/AnalysisPanel';
import { Bars } from '../../components/Bars';
import { Chart } from '../../components/chart/Chart';
import { chartColours, nameColour } from '../../components/chart/palette';
import { formatDuration, formatNumber, formatShare } from '../../format';
import { useAnalysis } from '../../state/analysis';
import { withValue } from '../../state/filters';
import { goTo, usePlace, withQuery } from '../../state/location';
import { type Theme, useTheme } from '../../state/theme';
import { t } from '../../text';

/** Screens shown inside the treemap; smaller ones could not be read. */
const TREE_SCREENS_MAX = 300;

function useFilterByApplication(): (application: string) => void {
  const { path, query } = usePlace();
  return (application) => goTo(withQuery(path, withValue(query, 'application', application)));
}

export default function Applications() {
  return (
    <div className="grid">
      <Tree />
      <Ranking />
      <Screens />
      <Focus />
    </div>
  );
}

function Tree() {
  const asked = useAnalysis('screens', { limit: TREE_SCREENS_MAX });
  const theme = useTheme();
  const filter = useFilterByApplication();
  const screens = useMemo(() => (asked.answer ? records<Screen>(asked.answer) : []), [asked.answer]);
  const option = useMemo(() => treeOption(screens, theme), [screens, theme]);
  const first = screens[0];
  return (
    <AnalysisPanel title={t('applications.tree')} asked={asked} className="span-8" height_px={400}>
      {() => (
        <Chart
          kind="treemap" option={option} height_px={400}
          summary={t('applications.tree.summary', { count: screens.length, application: first?.application ?? '', screen: first?.screen ?? '', time: formatDuration(first?.active_s) })}
          onPick={({ data }) => {
            const application = (data as { application?: string } | null)?.application;
            if (application) filter(application);
          }}
        />
      )}
    </AnalysisPanel>
  );
}

interface Leaf { name: string; value: number; application: string }

function treeOption(screens: Screen[], theme: Theme): EChartsCoreOption {
  const colours = chartColours(theme);
  const byApplication = new Map<string, Leaf[]>();
  for (const screen of screens) {
    if (screen.active_s <= 0) continue;
    const leaves = byApplication.get(screen.application) ?? [];
    leaves.push({ name: screen.screen || t('value.unnamed'), value: screen.active_s, application: screen.application });
    byApplication.set(screen.application, leaves);
  }
  return {
    animation: false,
    tooltip: {
      backgroundColor: colours.surface, borderColor: colours.line, textStyle: { color: colours.text, fontSize: 13 },
      formatter: ({ name, value, data }: { name: string; value: number; data: Partial<Leaf> }) =>
        `${escapeText(data.application && data.application !== name ? `${data.application} · ${name}` : name)}<br>${formatDuration(value)}`,
    },
    series: [{
      type: 'treemap', left: 0, right: 0, top: 0, bottom: 0, roam: false, nodeClick: false, breadcrumb: { show: false },
      label: { color: colours.text, fontSize: 12, overflow: 'truncate', formatter: ({ name, value }: { name: string; value: number }) => `${name}\n${formatDuration(value)}`, lineHeight: 16 },
      upperLabel: { show: true, height: 24, color: colours.text, fontSize: 13, fontWeight: 600, overflow: 'truncate', formatter: ({ name, value }: { name: string; value: number }) => `${name}  ${formatDuration(value)}` },
      itemStyle: { borderColor: colours.surface, borderWidth: 1, gapWidth: 1 },
      levels: [{ itemStyle: { gapWidth: 4, borderWidth: 0 }, upperLabel: { show: false } }, { itemStyle: { borderColor: colours.surface, borderWidth: 0, gapWidth: 1 } }, {}],
      data: [...byApplication].map(([application, children]) => ({
        name: application, application, children, value: children.reduce((sum, leaf) => sum + leaf.value, 0),
        itemStyle: { color: tint(nameColour(application, theme), colours.surface) },
      })),
    }],
  };
}

/** The tooltip takes markup, and names come from recorded windows. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** A calm ground in an application's colour, light enough in the light theme and dark enough in the dark one for words on it. */
function tint(colour: string, ground: string): string {
  const strength = 0.3;
  const channel = (hex: string, at: number) => parseInt(hex.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map((at) => Math.round(channel(colour, at) * strength + channel(ground, at) * (1 - strength)));
  return `#${mixed.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function Ranking() {
  const asked = useAnalysis('applications', { limit: 200 });
  const theme = useTheme();
  const filter = useFilterByApplication();
  return (
    <AnalysisPanel title={t('applications.ranking')} asked={asked} className="span-4" height_px={400}>
      {(answer) => {
        const rows = records<Application>(answer);
        const most = Math.max(1, ...rows.map((row) => row.active_s));
        return (
          <div className="scroll-list" tabIndex={0} role="group" aria-label={t('applications.ranking')}>
            <Bars
              bars={rows.map((row) => ({
                key: row.application, name: row.application, length: row.active_s / most, colour: nameColour(row.application, theme),
                detail: `${formatDuration(row.active_s)} · ${formatShare(row.share)}`,
                label: t('filter.only', { value: row.application, detail: `${formatDuration(row.active_s)}, ${t('count.accesses', { count: row.accesses })}` }),
              }))}
              onPick={({ key }) => filter(key)}
            />
          </div>
        );
      }}
    </AnalysisPanel>
  );
}

function Screens() {
  const asked = useAnalysis('screens', { limit: 200 });
  const theme = useTheme();
  const filter = useFilterByApplication();
  return (
    <AnalysisPanel title={t('applications.screens')} asked={asked} className="span-5" height_px={340}>
      {(answer) => {
        const rows = records<Screen>(answer);
        const most = Math.max(1, ...rows.map((row) => row.active_s));
        return (
          <div className="scroll-list" style={{ maxHeight: 340 }} tabIndex={0} role="group" aria-label={t('applications.screens')}>
            <Bars
              bars={rows.map((row) => ({
                key: `${row.application}\n${row.screen}`, name: `${row.screen || t('value.unnamed')}`, length: row.active_s / most, colour: nameColour(row.application, theme),
                detail: `${row.application} · ${formatDuration(row.active_s)}`,
                label: t('filter.only', { value: row.application, detail: `${row.screen ?? ''}, ${formatDuration(row.active_s)}` }),
              }))}
              onPick={({ key }) => filter(key.split('\n')[0]!)}
            />
          </div>
        );
      }}
    </AnalysisPanel>
  );
}

function Focus() {
  const asked = useAnalysis('focus_blocks', { limit: 5000 });
  const theme = useTheme();
  const blocks = useMemo(() => (asked.answer ? records<FocusBlocks>(asked.answer) : []), [asked.answer]);
  const option = useMemo(() => focusOption(blocks, theme), [blocks, theme]);
  const total = blocks.reduce((sum, block) => sum + block.blocks, 0);
  return (
    <AnalysisPanel title={t('applications.focus')} asked={asked} className="span-7" height_px={340}>
      {() => <Chart kind="bar" option={option} height_px={340} summary={t('applications.focus.summary', { count: total })} />}
    </AnalysisPanel>
  );
}

const range = ({ from_s, to_s }: FocusBlocks): string =>
  to_s === null ? t('applications.focus.over', { from: formatDuration(from_s) }) : t('applications.focus.range', { from: formatDuration(from_s), to: formatDuration(to_s) });

function focusOption(blocks: FocusBlocks[], theme: Theme): EChartsCoreOption {
  const colours = chartColours(theme);
  const ranges = [...new Map(blocks.map((block) => [block.from_s, block])).values()].sort((a, b) => a.from_s - b.from_s);
  const totals = new Map<string, number>();
  for (const block of blocks) totals.set(block.application, (totals.get(block.application) ?? 0) + block.blocks);
  const applications = [...totals].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const drawn = applications.slice(0, 8);
  const count = (names: string[], from_s: number) =>
    blocks.filter((block) => block.from_s === from_s && names.includes(block.application)).reduce((sum, block) => sum + block.blocks, 0);
  const others = applications.slice(8);
  const series = drawn.map((name) => ({ name, names: [name], colour: nameColour(name, theme) }));
  if (others.length > 0) series.push({ name: t('value.others'), names: others, colour: colours.muted });
  return {
    animation: false,
    grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
    legend: { show: true, type: 'scroll', top: 0, left: 0, itemWidth: 12, itemHeight: 12, textStyle: { color: colours.text, fontSize: 12 }, pageTextStyle: { color: colours.muted } },
    tooltip: {
      trigger: 'axis', axisPointer: { type: 'shadow' }, backgroundColor: colours.surface, borderColor: colours.line, textStyle: { color: colours.text, fontSize: 13 },
      formatter: (points: { seriesName: string; value: number; axisValue: string }[]) =>
        [points[0]!.axisValue, ...points.filter((point) => point.value > 0).map((point) => `${escapeText(point.seriesName)}: ${formatNumber(point.value)}`)].join('<br>'),
    },
    xAxis: { type: 'category', data: ranges.map(range), axisLine: { lineStyle: { color: colours.line } }, axisTick: { show: false }, axisLabel: { color: colours.muted, fontSize: 12, interval: 0, hideOverlap: true } },
    yAxis: { type: 'value', splitLine: { lineStyle: { color: colours.line } }, axisLabel: { color: colours.muted, fontSize: 12, formatter: (value: number) => formatNumber(value) } },
    series: series.map(({ name, names, colour }) => ({
      type: 'bar', name, stack: 'blocks', barMaxWidth: 64, itemStyle: { color: colour, borderColor: colours.surface, borderWidth: 1 }, data: ranges.map(({ from_s }) => count(names, from_s)),
    })),
  };
}
