import { importedFile, type SourceFile } from "./imports.ts";

/** A part of the code base. A file is in the first zone whose `files` match it. */
export interface Zone {
  name: string;
  files: RegExp;
  /** The other zones that it may import from. */
  mayImport: string[];
  /** The zones from which it may import only types. */
  mayImportTypesOf?: string[];
  /** The packages that it may import; a `RegExp` for the whole specifier. */
  packages: RegExp;
}

const NONE = /^$/;
const ANY = /./;
/** Packages that a page must not import, because they contain server code. */
const NOT_SERVERS =
  /^(?!node:|headgate$|headgate\/(?!client$|react$)|hono|@hono\/|pg$|pino|drizzle-|@electric-sql\/|better-auth(?!\/(react|client))|@ai-sdk\/(openai|anthropic))/;

/** The zones for HTTP without a framework. */
const HTTP_ROOMS = ["http address", "http body", "http fields", "http refusal", "http guard"];

/**
 * Imports go one way: core <- stores, http <- limiter <- adapters <- apps; client <- react <- web. Tests may import
 * anything.
 */
export const LIBRARY: Zone[] = [
  { name: "core", files: /^packages\/headgate\/src\/core\//, mayImport: [], packages: NONE },
  {
    name: "store opening",
    files:
      /^packages\/headgate\/src\/stores\/(open(\.test)?|(as-memory|lost-claims|renewals|under-faults)\.test)\.ts$/,
    mayImport: ["core", "shared stores", "memory store", "redis store", "postgres store"],
    packages: NONE,
  },
  {
    name: "shared stores",
    files: /^packages\/headgate\/src\/stores\/shared\//,
    mayImport: ["core"],
    packages: NONE,
  },
  {
    name: "refusal memory",
    files: /^packages\/headgate\/src\/remote\/refusal-memory\//,
    mayImport: ["core"],
    packages: NONE,
  },
  {
    name: "remote",
    files: /^packages\/headgate\/src\/remote\//,
    // During an outage, the process counts in a memory store.
    mayImport: ["core", "refusal memory", "reservation", "memory store"],
    packages: NONE,
  },
  {
    name: "overriding",
    files: /^packages\/headgate\/src\/overriding\//,
    mayImport: ["core", "refusal memory"],
    packages: NONE,
  },
  {
    name: "reservation",
    files: /^packages\/headgate\/src\/reservation\//,
    mayImport: ["core"],
    packages: NONE,
  },
  {
    name: "shadow",
    files: /^packages\/headgate\/src\/shadow\//,
    mayImport: ["core", "overriding", "refusal memory", "remote", "reservation", "memory store"],
    mayImportTypesOf: ["limiter"],
    packages: NONE,
  },
  store("memory", NONE),
  store("redis", /^node:|redis|valkey/),
  store("durable-object", NONE),
  store("postgres", /^node:|^pg$|^postgres$|pglite/),
  http("address", []),
  http("body", []),
  http("fields", []),
  http("refusal", ["fields"]),
  http("guard", ["address", "fields", "refusal"]),
  {
    name: "http",
    files: /^packages\/headgate\/src\/http\/[^/]+\.ts$/,
    mayImport: HTTP_ROOMS,
    packages: NONE,
  },
  {
    name: "adapters",
    files: /^packages\/headgate\/src\/adapters\//,
    mayImport: [...HTTP_ROOMS, "limiter", "core"],
    packages: /^(node:(http|net)$|(hono|express|fastify|koa|next|@nestjs\/common)(\/|$))/,
  },
  {
    name: "identity",
    files: /^packages\/headgate\/src\/identity\//,
    mayImport: ["core", "http address", "limiter"],
    packages: /^jose$/,
  },
  {
    name: "ai",
    files: /^packages\/headgate\/src\/ai\//,
    mayImport: ["core", "limiter"],
    // Only its types, so that the module loads without an SDK.
    packages: /^ai$/,
  },
  {
    name: "otel",
    files: /^packages\/headgate\/src\/otel\//,
    mayImport: ["core", "limiter"],
    mayImportTypesOf: ["shadow"],
    packages: /^@opentelemetry\/api$/,
  },
  {
    name: "log",
    files: /^packages\/headgate\/src\/log\//,
    mayImport: ["core", "limiter", "policy document"],
    packages: /^node:/,
  },
  {
    name: "webhook",
    files: /^packages\/headgate\/src\/webhook\//,
    mayImport: ["core", "limiter"],
    packages: NONE,
  },
  {
    name: "policy document",
    files: /^packages\/headgate\/src\/policy-document\//,
    mayImport: ["core"],
    packages: NONE,
  },
  { name: "client", files: /^packages\/headgate\/src\/client\//, mayImport: [], packages: NONE },
  {
    name: "react",
    files: /^packages\/headgate\/src\/react\//,
    mayImport: ["client"],
    packages: /^react(\/jsx-runtime)?$/,
  },
  {
    name: "testing",
    files: /^packages\/headgate\/src\/testing\//,
    mayImport: [
      "core",
      "memory store",
      "store opening",
      "limiter",
      ...HTTP_ROOMS,
      "http",
      "adapters",
      "client",
    ],
    mayImportTypesOf: ["shadow"],
    packages: ANY,
  },
  {
    name: "limiter",
    files: /^packages\/headgate\/src\/(limiter\/)?[^/]+\.ts$/,
    mayImport: [
      "core",
      "reservation",
      "remote",
      "overriding",
      "shadow",
      "store opening",
      "shared stores",
      "memory store",
      "redis store",
      "postgres store",
    ],
    packages: NONE,
  },
];

function http(name: string, rooms: string[]): Zone {
  return {
    name: `http ${name}`,
    files: new RegExp(`^packages/headgate/src/http/${name}/`),
    mayImport: ["core", ...rooms.map((room) => `http ${room}`)],
    mayImportTypesOf: ["limiter"],
    packages: NONE,
  };
}

function store(name: string, packages: RegExp): Zone {
  return {
    name: `${name} store`,
    files: new RegExp(`^packages/headgate/src/stores/${name}/`),
    mayImport: ["core", "shared stores"],
    packages,
  };
}

/** The operator console. Its server code does not use browser APIs, and the page contains no server code. */
export const CONSOLE: Zone[] = [
  {
    name: "options",
    files: /^packages\/headgate-console\/src\/options\.ts$/,
    mayImport: [],
    packages: /^headgate$/,
  },
  {
    name: "counting",
    files: /^packages\/headgate-console\/src\/counting\//,
    mayImport: ["options"],
    packages: /^headgate$/,
  },
  {
    name: "serving",
    files: /^packages\/headgate-console\/src\//,
    mayImport: ["counting", "options"],
    packages: /^(headgate(\/(http|policy-document))?|#page)$/,
  },
  {
    name: "bundling",
    files: /^packages\/headgate-console\/(build|page\/(bundle|(css|module)\.d))\.ts$/,
    mayImport: [],
    packages: /^(node:|esbuild$)/,
  },
  {
    name: "console page",
    files: /^packages\/headgate-console\/page\//,
    mayImport: [],
    mayImportTypesOf: ["counting", "serving"],
    packages: /^(preact(\/hooks)?|uplot(\/dist\/uPlot\.min\.css)?)$/,
  },
];

/** The service: routes -> services -> repositories, and a page without server code. */
export const CHAT: Zone[] = [
  // Tax rates and pay arithmetic, which the server and the page both run.
  { name: "tax", files: /^apps\/chat\/tax\//, mayImport: [], packages: NONE },
  {
    name: "contract",
    files: /^apps\/chat\/contract\.ts$/,
    mayImport: [],
    mayImportTypesOf: ["tax"],
    packages: ANY,
  },
  { name: "manifest", files: /^apps\/chat\/package\.json$/, mayImport: [], packages: NONE },
  {
    name: "tools",
    files: /^apps\/chat\/(bundle|web\/build\/[\w-]+|(.*\/)?[\w-]+\.config)\.ts$/,
    mayImport: [],
    packages: ANY,
  },
  {
    name: "page",
    files: /^apps\/chat\/web\//,
    mayImport: ["tax"],
    mayImportTypesOf: ["contract"],
    packages: NOT_SERVERS,
  },
  {
    name: "routes",
    files: /^apps\/chat\/server\/routes\//,
    mayImport: ["services", "server http", "model", "server", "manifest"],
    mayImportTypesOf: ["contract"],
    packages: /^(?!drizzle-|pg$|@electric-sql\/)/,
  },
  {
    name: "services",
    files: /^apps\/chat\/server\/services\//,
    // better-auth stores accounts itself, in the tables that it is given.
    mayImport: ["repositories", "database", "model", "server http", "server"],
    mayImportTypesOf: ["contract"],
    packages: ANY,
  },
  {
    name: "repositories",
    files: /^apps\/chat\/server\/repositories\//,
    mayImport: ["database", "server"],
    mayImportTypesOf: ["contract"],
    packages: ANY,
  },
  {
    name: "database",
    files: /^apps\/chat\/server\/database\//,
    mayImport: ["server"],
    mayImportTypesOf: ["contract"],
    packages: ANY,
  },
  {
    name: "model",
    files: /^apps\/chat\/server\/model\//,
    mayImport: ["server", "tax"],
    mayImportTypesOf: ["contract"],
    packages: /^(?!hono|@hono\/|drizzle-|pg$)/,
  },
  {
    name: "server http",
    files: /^apps\/chat\/server\/http\//,
    mayImport: ["server"],
    mayImportTypesOf: ["contract", "services"],
    packages: /^(?!pg$|@electric-sql\/)/,
  },
  {
    name: "server",
    // Files that combine the parts, or that all of them share.
    files: /^apps\/chat\/server\//,
    mayImport: ["routes", "services", "repositories", "database", "model", "server http", "manifest", "tax"],
    mayImportTypesOf: ["contract"],
    packages: ANY,
  },
  {
    name: "test servers",
    files: /^apps\/chat\/(testing|e2e)\//,
    mayImport: ["routes", "services", "repositories", "database", "model", "server http", "server", "tools"],
    mayImportTypesOf: ["contract"],
    packages: ANY,
  },
];

/**
 * Checks the imports of one file.
 *
 * @returns a sentence for each violation, with the file, the line and what would be right
 */
export function violations(file: SourceFile, zones: Zone[]): string[] {
  const zone = zoneOf(file.path, zones);
  if (!zone) return [`${file.path} belongs to no zone: add it to one in scripts/import-graph/rules.ts`];
  return file.imports.flatMap((import_) => {
    const at = `${file.path}:${import_.line} imports "${import_.specifier}"`;
    const target = importedFile(file, import_);
    if (target === undefined) {
      return zone.packages.test(import_.specifier) ? [] : [`${at}: ${zone.name} may not import that package`];
    }
    const targetZone = zoneOf(target, zones);
    if (!targetZone) return [`${at}: that is outside the zones that ${zone.name} may import`];
    if (targetZone === zone || zone.mayImport.includes(targetZone.name)) return [];
    const mayImportTypes = zone.mayImportTypesOf?.includes(targetZone.name) ?? false;
    if (mayImportTypes && import_.isTypeOnly) return [];
    if (mayImportTypes)
      return [`${at}: of ${targetZone.name}, ${zone.name} may take types only (import type)`];
    return [
      `${at}: ${zone.name} may import ${zone.mayImport.join(", ") || "nothing but itself"}, not ${targetZone.name}`,
    ];
  });
}

function zoneOf(file: string, zones: Zone[]): Zone | undefined {
  return zones.find(({ files }) => files.test(file));
}
