// The chart engine with what bar charts over time need; larger kinds of chart add themselves in files of their own.
import { BarChart } from 'echarts/charts';
import { GridComponent, LegendScrollComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([BarChart, GridComponent, LegendScrollComponent, TooltipComponent, SVGRenderer]);

export { init };
