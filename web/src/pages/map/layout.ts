// What the page and the layout worker say to each other.

export interface LayoutRequest {
  nodes: { id: string; width: number; height: number }[];
  edges: { from: string; to: string; width: number; height: number; weight: number }[];
}

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  width: number;
  height: number;
  /** Centres of the nodes. */
  nodes: Record<string, Point>;
  /** In the order of the request. */
  edges: { points: Point[]; label: Point }[];
}
