// Adds the Sankey diagram to the chart engine.
import { SankeyChart } from 'echarts/charts';
import { use } from 'echarts/core';

use([SankeyChart]);
export { init } from './engine';
