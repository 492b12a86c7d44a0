import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/**
 * The page is built into web-dist, which the dashboard serves. Addresses of assets are relative to the `<base>` of
 * index.html, so that the page also works below a path. The strict content security policy allows no `data:` scripts
 * and no inline ones, so nothing is inlined.
 */
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../web-dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_000,
    reportCompressedSize: false,
  },
});
