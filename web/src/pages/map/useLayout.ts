// Asks the layout worker, and stops it when the question changes before the answer is there.
import { useEffect, useState } from 'react';
import type { Layout, LayoutRequest } from './layout';

export function useLayout(request: LayoutRequest): { layout: Layout; of: LayoutRequest } | null {
  const [answer, setAnswer] = useState<{ layout: Layout; of: LayoutRequest } | null>(null);
  useEffect(() => {
    const worker = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Layout>) => {
      setAnswer({ layout: data, of: request });
      worker.terminate();
    };
    worker.postMessage(request);
    return () => worker.terminate();
  }, [request]);
  return answer;
}
