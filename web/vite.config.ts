// How the pages are built and, while developing, served beside a running service. It decides nothing about behaviour.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const service = process.env.LODE_URL ?? 'http://127.0.0.1:4700';
// The service takes requests of its own address only, so the host that the browser asked for stays.
const to_service = { target: service, changeOrigin: false };
const proxy = { '/api': to_service, '/client': to_service };

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
  server: { proxy },
  // The built pages in front of a service: start it with `--public-url` naming this address, and the tests can walk through both.
  preview: { proxy },
  test: { include: ['src/**/*.test.ts', 'generator/*.test.mjs'], environment: 'node' },
});
