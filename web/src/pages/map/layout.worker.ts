// Lays out the process map away from the page, which stays responsive however large the map is.
import { graphlib, layout } from '@dagrejs/dagre';
import type { Layout, LayoutRequest, Point } from './layout';

self.onmessage = ({ data }: MessageEvent<LayoutRequest>) => {
  const graph = new graphlib.Graph({ directed: true, multigraph: false });
  graph.setGraph({ rankdir: 'TB', nodesep: 28, ranksep: 26, edgesep: 14, marginx: 24, marginy: 24 });
  for (const { id, width, height } of data.nodes) graph.setNode(id, { width, height });
  for (const { from, to, width, height, weight } of data.edges) {
    graph.setEdge(from, to, { width, height, weight, minlen: 1, labelpos: 'c' });
  }
  layout(graph);
  const size = graph.graph() as { width?: number; height?: number };
  const answer: Layout = {
    width: size.width ?? 0,
    height: size.height ?? 0,
    nodes: Object.fromEntries(data.nodes.map(({ id }) => {
      const { x, y } = graph.node(id) as Point;
      return [id, { x, y }];
    })),
    edges: data.edges.map(({ from, to }) => {
      const edge = graph.edge(from, to) as unknown as { points: Point[]; x: number; y: number };
      return { points: edge.points.map(({ x, y }) => ({ x, y })), label: { x: edge.x, y: edge.y } };
    }),
  };
  self.postMessage(answer);
};
