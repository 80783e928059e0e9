// Adds the treemap to the chart engine.
import { TreemapChart } from 'echarts/charts';
import { use } from 'echarts/core';

use([TreemapChart]);
export { init } from './engine';
