import path from "node:path";
import type { NextConfig } from "next";

export default {
  // The adapter's suite asks for paths that end with a slash.
  skipTrailingSlashRedirect: true,
  // Checked with all else.
  typescript: { ignoreBuildErrors: true },
  turbopack: { root: path.resolve(import.meta.dirname, "../..") },
} satisfies NextConfig;
