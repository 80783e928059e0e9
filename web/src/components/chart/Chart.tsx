// Draws one chart and keeps it as wide as its place. To assistive technology it is a picture with a text; the figures are in its table twin.
import type { ECharts, EChartsCoreOption } from 'echarts/core';
import { useEffect, useRef } from 'react';

const ENGINES = {
  bar: () => import('./engine'),
  treemap: () => import('./treemap'),
  sankey: () => import('./sankey'),
};

interface ChartProps {
  kind: keyof typeof ENGINES;
  option: EChartsCoreOption;
  height_px: number;
  /** What the chart shows, in words, with its most telling figures. */
  summary: string;
  onPick?: (event: { name: string; data: unknown; dataIndex: number; dataType?: string }) => void;
}

export function Chart({ kind, option, height_px, summary, onPick }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const latest = useRef({ option, onPick });
  latest.current = { option, onPick };

  useEffect(() => {
    const element = place.current!;
    let gone = false;
    const watcher = new ResizeObserver(() => chart.current?.resize());
    void ENGINES[kind]().then(({ init }) => {
      if (gone) return;
      chart.current = init(element, null, { renderer: 'svg' });
      chart.current.setOption(latest.current.option);
      chart.current.on('click', (event) => latest.current.onPick?.(event as never));
      watcher.observe(element);
    });
    return () => {
      gone = true;
      watcher.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, [kind]);

  useEffect(() => {
    chart.current?.setOption(option, { notMerge: true });
  }, [option]);

  return <div ref={place} className="chart" role="img" aria-label={summary} style={{ height: height_px }} />;
}
