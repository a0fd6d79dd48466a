import path from "node:path";
import type { NextConfig } from "next";

export default {
  // The adapter's suite requests paths that end with a slash.
  skipTrailingSlashRedirect: true,
  // Types are checked with all other code.
  typescript: { ignoreBuildErrors: true },
  turbopack: { root: path.resolve(import.meta.dirname, "../..") },
} satisfies NextConfig;
