import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompress } from "./build/precompress.ts";
import { preloadFont } from "./build/preload-font.ts";

const service = process.env.SERVICE_URL ?? "http://localhost:3000";

/** The paths to which the service responds. For all other paths, the page is served. */
const serviceRoutes = [
  "/chat",
  "/conversations",
  "/shared",
  "/auth",
  "/me",
  "/health",
  "/ready",
  "/version",
  "/operator",
];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  plugins: [react(), tailwindcss(), preloadFont(), precompress()],
  resolve: {
    // Use the workspace's sources, not their builds.
    conditions: ["headgate-source", "module", "browser", "development|production"],
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    // Do not inline assets as data: URLs, so that the content security policy can be 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(serviceRoutes.map((route) => [`^${route}(/|\\?|$)`, { target: service }])),
  },
});
