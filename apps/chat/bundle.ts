/**
 * Bundles the service into a few files, which load much faster than its sources with hundreds of modules. `node
 * apps/chat/bundle.ts` writes `apps/chat/server/dist`. Build `headgate`, `headgate-console` and
 * `headgate-server` first.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const server = fileURLToPath(new URL("./server", import.meta.url));

await build({
  // Include the operator's commands, because the image has no sources.
  entryPoints: {
    main: `${server}/main.ts`,
    credit: `${server}/commands/credit.ts`,
    account: `${server}/commands/account.ts`,
    limit: `${server}/commands/limit.ts`,
    "embedded-worker": `${server}/database/embedded-worker.ts`,
    "policy-replay-worker": `${server}/services/policy-replay-worker.ts`,
  },
  outdir: `${server}/dist`,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  // Lazy imports stay in separate files, which are loaded when needed.
  splitting: true,
  // It loads its database engine from its own folder.
  external: ["@electric-sql/pglite"],
  // Keep stack traces readable without a source map.
  minify: false,
  // CommonJS packages need "require", which an ES module does not have.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module";\nconst require = requireFrom(import.meta.url);',
  },
  logLevel: "warning",
});
