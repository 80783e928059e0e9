// How the pages are built and, while developing, served beside a running service. It decides nothing about behaviour.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const service = process.env.LODE_URL ?? 'http://127.0.0.1:4700';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    // The content security policy allows no data: addresses, so nothing may be inlined.
    assetsInlineLimit: 0,
    manifest: true,
    chunkSizeWarningLimit: 700,
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': service } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
