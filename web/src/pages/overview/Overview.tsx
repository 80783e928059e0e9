// The page that answers "what happened in this project?": key figures, activity over time, the top of each list, and coverage.
import type { EChartsCoreOption } from 'echarts/core';
import { useMemo } from 'react';
import type { Application, Bucket, Coverage, Overview as Figures, Variant } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel, Download } from '../../components/AnalysisPanel';
import { Bars } from '../../components/Bars';
import { Chart } from '../../components/chart/Chart';
import { chartColours, nameColour } from '../../components/chart/palette';
import { Formula } from '../../components/Formula';
import { AnswerFailure, NothingFound, Waiting } from '../../components/Notice';
import { AddressLink, PageLink, usePageAddress } from '../../components/PageLink';
import { Sequence } from '../../components/Sequence';
import { formatCompact, formatDay, formatDuration, formatNumber, formatShare, formatSpan, formatTime } from '../../format';
import { useAnalysis } from '../../state/analysis';
import { withDate, withValue } from '../../state/filters';
import { goTo, usePlace, withQuery } from '../../state/location';
import { useProject } from '../../state/project';
import { useTheme } from '../../state/theme';
import { t } from '../../text';

const TOP = 8;

export default function Overview() {
  return (
    <div className="stack">
      <KeyFigures />
      <div className="grid">
        <OverTime />
        <TopApplications />
        <TopVariants />
        <CoveragePanel />
      </div>
    </div>
  );
}

function KeyFigures() {
  const asked = useAnalysis('overview');
  const { answer, error, again } = asked;
  if (error) return <AnswerFailure error={error} again={again} />;
  if (!answer) return <Waiting height={190} />;
  const figures = records<Figures>(answer)[0];
  if (!figures || figures.events === 0) return <div className="panel"><NothingFound /></div>;
  const shown: [title: string, value: string, note: string][] = [
    [t('column.active_h'), formatDuration(figures.active_h * 3600), formatSpan(figures.first_event, figures.last_event)],
    [t('column.events'), formatCompact(figures.events), t('overview.activities', { count: figures.activities })],
    [t('column.cases'), formatCompact(figures.cases), t('overview.perCase', { events: figures.cases ? Math.round(figures.events / figures.cases) : 0 })],
    [t('column.users'), formatNumber(figures.users), t('overview.observed')],
    [t('column.sessions'), formatCompact(figures.sessions), t('overview.unbroken')],
    [t('column.applications'), formatNumber(figures.applications), t('overview.inFront')],
    [t('column.switches_per_active_hour'), formatNumber(figures.switches_per_active_hour), t('overview.roundTrips', { count: figures.round_trips })],
    [t('column.copy_paste_pairs'), formatCompact(figures.copy_paste_pairs), t('overview.byHand')],
  ];
  return (
    <section aria-label={t('overview.figures')}>
      <div className="row" style={{ marginBottom: 4 }}>
        <h2 className="grow">{t('overview.figures')}</h2>
        <Formula of={t('overview.figures')} text={answer.formula} />
        <Download of={t('overview.figures')} fileAddress={asked.fileAddress} />
      </div>
      <dl className="figures">
        {shown.map(([title, value, note]) => (
          <div className="figure" key={title}>
            <dt>{title}</dt>
            <dd>{value}<small>{note}</small></dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function OverTime() {
  const asked = useAnalysis('activity_over_time', { limit: 5000 });
  const { path, query } = usePlace();
  const theme = useTheme();
  const buckets = useMemo(() => (asked.answer ? records<Bucket>(asked.answer) : []), [asked.answer]);
  const option = useMemo(() => overTimeOption(buckets, theme), [buckets, theme]);
  const busiest = buckets.reduce<Bucket | null>((best, bucket) => (best && best.events >= bucket.events ? best : bucket), null);
  return (
    <AnalysisPanel title={t('overview.overTime')} asked={asked} className="span-8" height_px={252}>
      {() => (
        <Chart
          kind="bar" height_px={252} option={option}
          summary={t('overview.overTime.summary', { count: buckets.length, time: formatTime(busiest?.bucket), events: busiest?.events ?? 0 })}
          onPick={({ dataIndex }) => {
            const day = buckets[dataIndex]?.bucket.slice(0, 10);
            if (day) goTo(withQuery(path, withDate(withDate(query, 'from', day), 'to', day)));
          }}
        />
      )}
    </AnalysisPanel>
  );
}

function overTimeOption(buckets: Bucket[], theme: 'light' | 'dark'): EChartsCoreOption {
  const colours = chartColours(theme);
  const axis = { axisLine: { lineStyle: { color: colours.line } }, axisLabel: { color: colours.muted, fontSize: 12, lineHeight: 16 }, axisTick: { show: false } };
  return {
    animation: false,
    grid: { left: 8, right: 8, top: 28, bottom: 4, containLabel: true },
    tooltip: {
      trigger: 'axis', axisPointer: { type: 'shadow' }, backgroundColor: colours.surface, borderColor: colours.line, textStyle: { color: colours.text, fontSize: 13 },
      formatter: ([point]: { dataIndex: number }[]) => {
        const bucket = buckets[point!.dataIndex]!;
        return `${formatTime(bucket.bucket)}<br>${t('overview.overTime.tip', { active: formatDuration(bucket.active_s), events: bucket.events })}`;
      },
    },
    xAxis: { type: 'category', data: buckets.map((bucket) => bucketName(bucket)), ...axis },
    yAxis: {
      type: 'value', name: t('overview.overTime.axis'), nameTextStyle: { color: colours.muted, align: 'left', fontSize: 12, padding: [0, 0, 0, -24] }, splitLine: { lineStyle: { color: colours.line } }, ...axis,
      axisLabel: { ...axis.axisLabel, formatter: (minutes: number) => formatNumber(minutes) },
    },
    series: [{ type: 'bar', data: buckets.map((bucket) => bucket.active_s / 60), itemStyle: { color: colours.accent, borderRadius: [2, 2, 0, 0] }, barMaxWidth: 36, barCategoryGap: '22%' }],
  };
}

const bucketName = (bucket: Bucket): string =>
  bucket.bucket_s >= 86_400 ? formatDay(bucket.bucket) : `${bucket.bucket.slice(11, 16)}\n${bucket.bucket.slice(5, 10)}`;

function TopApplications() {
  const asked = useAnalysis('applications', { limit: TOP });
  const { path, query } = usePlace();
  const theme = useTheme();
  return (
    <AnalysisPanel title={t('overview.topApplications')} asked={asked} className="span-4" height_px={252} foot={<PageLink page="applications">{t('overview.allApplications')}</PageLink>}>
      {(answer) => {
        const rows = records<Application>(answer);
        const most = Math.max(1, ...rows.map((row) => row.active_s));
        return (
          <Bars
            bars={rows.map((row) => ({
              key: row.application, name: row.application, length: row.active_s / most, colour: nameColour(row.application, theme),
              detail: `${formatDuration(row.active_s)} · ${formatShare(row.share)}`,
              label: t('filter.only', { value: row.application, detail: `${formatDuration(row.active_s)}, ${formatShare(row.share)}` }),
            }))}
            onPick={({ key }) => goTo(withQuery(path, withValue(query, 'application', key)))}
          />
        );
      }}
    </AnalysisPanel>
  );
}

function TopVariants() {
  const asked = useAnalysis('variants', { limit: 5 });
  const address = usePageAddress();
  const project = useProject();
  return (
    <AnalysisPanel title={t('overview.topVariants')} asked={asked} className="span-8" height_px={220} foot={<PageLink page="variants">{t('overview.allVariants')}</PageLink>}>
      {(answer) => (
        <ol className="stack-tight" key={project.id}>
          {records<Variant>(answer).map((variant, index) => (
            <li key={variant.variant} className="row" style={{ minHeight: 40 }}>
              <AddressLink address={address('variants', { chosen: variant.variant })} className="variant-number" label={t('variants.open', { number: index + 1 })}>{index + 1}</AddressLink>
              <Sequence activities={variant.activities} shown_max={4} />
              <span className="muted small" style={{ marginInlineStart: 'auto', whiteSpace: 'nowrap', textAlign: 'end' }}>
                {t('count.cases', { count: variant.cases })} · {formatShare(variant.share)}
              </span>
            </li>
          ))}
        </ol>
      )}
    </AnalysisPanel>
  );
}

function CoveragePanel() {
  const asked = useAnalysis('coverage', { limit: 1000 });
  return (
    <AnalysisPanel title={t('overview.coverage')} asked={asked} className="span-4" height_px={220}>
      {(answer) => {
        const days = records<Coverage>(answer);
        const sum = (value: (day: Coverage) => number) => days.reduce((total, day) => total + value(day), 0);
        const facts: [string, string][] = [
          [t('coverage.built'), formatTime(answer.built_at)],
          [t('coverage.days'), formatNumber(days.length)],
          [t('coverage.last'), formatTime(days.map((day) => day.last_event).sort().at(-1))],
          [t('column.gaps'), formatNumber(sum((day) => day.gaps))],
          [t('column.lost_events'), formatNumber(sum((day) => day.lost_events))],
        ];
        if (days.some((day) => day.rejected_rows !== undefined)) facts.push([t('column.rejected_rows'), formatNumber(sum((day) => day.rejected_rows ?? 0))]);
        return <dl className="fact-rows">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
      }}
    </AnalysisPanel>
  );
}
