/**
 * Puts the service into few files, which load in a fraction of the time that its sources and their hundreds of modules
 * take: `node apps/chat/bundle.ts` writes `apps/chat/server/dist`. The library, the console and the replay must be built before.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const server = fileURLToPath(new URL("./server", import.meta.url));

await build({
  // The operator's commands too: where the service runs, nothing else of the sources is there.
  entryPoints: {
    main: `${server}/main.ts`,
    credit: `${server}/commands/credit.ts`,
    account: `${server}/commands/account.ts`,
    limit: `${server}/commands/limit.ts`,
    "policy-replay-worker": `${server}/services/policy-replay-worker.ts`,
  },
  outdir: `${server}/dist`,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  // What is imported when it is needed stays in files of its own, and unread until then.
  splitting: true,
  // It finds its database engine beside its own file.
  external: ["@electric-sql/pglite"],
  // Readable as it is: no source map has to be read before a trace can be.
  minify: false,
  // Packages in CommonJS ask for Node's modules by "require", which a module has not.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module";\nconst require = requireFrom(import.meta.url);',
  },
  logLevel: "warning",
});
