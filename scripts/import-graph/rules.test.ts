import { describe, expect, it } from "vitest";
import { importsIn } from "./imports.ts";
import { reachableFrom } from "./reachable.ts";
import { CHAT, LIBRARY, violations } from "./rules.ts";

describe("finding imports", () => {
  it.each<[string, string, { specifier: string; isTypeOnly: boolean }[]]>([
    ["names", 'import { a, type B } from "./a.ts";', [{ specifier: "./a.ts", isTypeOnly: false }]],
    [
      "names over lines",
      'import {\n  a,\n  b,\n} from "./a.ts";',
      [{ specifier: "./a.ts", isTypeOnly: false }],
    ],
    ["types", 'import type { A } from "./a.ts";', [{ specifier: "./a.ts", isTypeOnly: true }]],
    ["side effects", 'import "./style.css";', [{ specifier: "./style.css", isTypeOnly: false }]],
    [
      "a namespace",
      'import * as schema from "./schema.ts";',
      [{ specifier: "./schema.ts", isTypeOnly: false }],
    ],
    ["re-exports", 'export * from "./a.ts";', [{ specifier: "./a.ts", isTypeOnly: false }]],
    ["re-exported types", 'export type { A } from "./a.ts";', [{ specifier: "./a.ts", isTypeOnly: true }]],
    ["dynamic imports", 'const a = () => import("./a.ts");', [{ specifier: "./a.ts", isTypeOnly: false }]],
    ["no imports in comments", '/**\n * import { a } from "a";\n * import("b")\n */\n// import("c")', []],
    [
      "no imports in declarations",
      'export const a = "./a.ts";\nexport type B = "b";\nexport function c() {}',
      [],
    ],
  ])("finds %s", (_, source, expected) => {
    expect(importsIn(source).map(({ specifier, isTypeOnly }) => ({ specifier, isTypeOnly }))).toEqual(
      expected,
    );
  });

  it("returns the line of each import", () => {
    expect(importsIn('import "a";\n\nimport {\n  b,\n} from "b";').map(({ line }) => line)).toEqual([1, 3]);
  });
});

describe("the rules", () => {
  const src = "packages/headgate/src";

  it.each([
    [
      `${src}/core/policy.ts`,
      'import { a } from "../limiter/limiter.ts";',
      "core may import nothing but itself, not limiter",
    ],
    [`${src}/core/policy.ts`, 'import { a } from "node:crypto";', "core may not import that package"],
    [
      `${src}/http/fields/fields.ts`,
      'import { a } from "../../limiter/limiter.ts";',
      "of limiter, http fields may take types only (import type)",
    ],
    [`${src}/http/fields/fields.ts`, 'import { a } from "../refusal/refusal.ts";', "not http refusal"],
    [`${src}/remote/breaker.ts`, 'import { a } from "../limiter/limiter.ts";', "not limiter"],
    [
      `${src}/client/client.ts`,
      'import type { a } from "../core/limit.ts";',
      "client may import nothing but itself",
    ],
    [`${src}/react/notice.tsx`, 'import { a } from "../http/index.ts";', "react may import client, not http"],
    [`${src}/stores/redis/index.ts`, 'import { a } from "../memory/index.ts";', "not memory store"],
    [`${src}/limiter/limiter.ts`, 'import { a } from "../adapters/hono.ts";', "not adapters"],
    [`${src}/elsewhere/a.ts`, "", "belongs to no zone"],
  ])("refuse in the library: %s with %s", (path, source, expected) => {
    expect(violations({ path, imports: importsIn(source) }, LIBRARY).join()).toContain(expected);
  });

  it.each([
    [
      "apps/chat/contract.ts",
      'import { a } from "./server/app.ts";',
      "contract may import nothing but itself",
    ],
    ["apps/chat/web/src/app.tsx", 'import fs from "node:fs";', "page may not import that package"],
    ["apps/chat/web/src/app.tsx", 'import { a } from "headgate";', "page may not import that package"],
    ["apps/chat/web/src/app.tsx", 'import { a } from "headgate/hono";', "page may not import that package"],
    ["apps/chat/web/src/app.tsx", 'import { a } from "../../server/app.ts";', "not server"],
    ["apps/chat/server/routes/me.ts", 'import { a } from "../repositories/credit.ts";', "not repositories"],
    ["apps/chat/server/routes/me.ts", 'import { a } from "../database/schema.ts";', "not database"],
    ["apps/chat/server/repositories/credit.ts", 'import { a } from "../services/credit.ts";', "not services"],
    [
      "apps/chat/server/app.ts",
      'import { a } from "../../../packages/headgate/src/index.ts";',
      "outside the zones",
    ],
  ])("refuse in the service: %s with %s", (path, source, expected) => {
    expect(violations({ path, imports: importsIn(source) }, CHAT).join()).toContain(expected);
  });

  it.each([
    [
      "apps/chat/web/src/app.tsx",
      'import { a } from "headgate/react";\nimport type { B } from "../../contract.ts";',
    ],
    ["apps/chat/web/src/account.ts", 'import { createAuthClient } from "better-auth/react";'],
    [
      "apps/chat/server/routes/me.ts",
      'import { a } from "../services/credit.ts";\nimport { Hono } from "hono";',
    ],
  ])("allow in the service: %s with %s", (path, source) => {
    expect(violations({ path, imports: importsIn(source) }, CHAT)).toEqual([]);
  });
});

describe("what a module loads", () => {
  it("follows circular imports of values, and ignores imports of types", () => {
    const files = [
      {
        path: "a.ts",
        imports: importsIn('import { b } from "./b.ts";\nimport type { T } from "./types.ts";'),
      },
      {
        path: "b.ts",
        imports: importsIn('import "./a.ts";\nimport { z } from "zod";\nimport type { H } from "hono";'),
      },
      { path: "types.ts", imports: importsIn('import "never";') },
    ];
    expect(reachableFrom("a.ts", files)).toEqual({ files: ["a.ts", "b.ts"], packages: ["zod"] });
  });
});
