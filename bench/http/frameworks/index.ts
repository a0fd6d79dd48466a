export interface Variant {
  readonly label: string;
  readonly kind: "bare" | "headgate" | "usual" | "peer" | "floor";
  /** What the limiter does not guarantee, printed next to its figures. */
  readonly note: string;
  /** @returns the port. */
  start(): Promise<number>;
}

export interface Framework {
  readonly label: string;
  readonly variants: Readonly<Record<string, Variant>>;
}

const stacked =
  "twice the quota around the end of a window; a refusal spends in the layers before; fields of the last layer";
const headgateNote =
  "exact; all or nothing; RateLimit-Policy and RateLimit of all limits, exposed to browsers";
const floorNote = "a fixed window in a Map × 3 and two fields; never forgets a caller";

/** All contenders over HTTP. */
export const frameworks: Readonly<Record<string, Framework>> = {
  fastify: {
    label: "Fastify 5",
    variants: {
      bare: variant("bare", "bare", "", async () => (await import("./fastify.ts")).bare()),
      headgate: variant("headgate", "headgate", headgateNote, async () =>
        (await import("./fastify.ts")).guarded(),
      ),
      usual: variant("@fastify/rate-limit × 3", "usual", stacked, async () =>
        (await import("./fastify.ts")).usual(),
      ),
      floor: variant("hand-written", "floor", floorNote, async () => (await import("./fastify.ts")).floor()),
    },
  },
  node: {
    label: "node:http",
    variants: {
      bare: variant("bare", "bare", "", async () => (await import("./node.ts")).bare()),
      headgate: variant("headgate", "headgate", headgateNote, async () =>
        (await import("./node.ts")).guarded(),
      ),
      usual: variant("@joint-ops/hitlimit/node × 3", "usual", stacked, async () =>
        (await import("./node.ts")).usual(),
      ),
      floor: variant("hand-written", "floor", floorNote, async () => (await import("./node.ts")).floor()),
    },
  },
  express: {
    label: "Express 5",
    variants: {
      bare: variant("bare", "bare", "", async () => (await import("./express.ts")).bare()),
      headgate: variant("headgate", "headgate", headgateNote, async () =>
        (await import("./express.ts")).guarded(),
      ),
      usual: variant("express-rate-limit × 3", "usual", stacked, async () =>
        (await import("./express.ts")).usual(),
      ),
      hitlimit: variant("@joint-ops/hitlimit × 3", "peer", stacked, async () =>
        (await import("./express.ts")).hitlimited(),
      ),
      floor: variant("hand-written", "floor", floorNote, async () => (await import("./express.ts")).floor()),
    },
  },
  hono: {
    label: "Hono on Node",
    variants: {
      bare: variant("bare", "bare", "", async () => (await import("./hono.ts")).bare()),
      headgate: variant("headgate", "headgate", headgateNote, async () =>
        (await import("./hono.ts")).guarded(),
      ),
      usual: variant("hono-rate-limiter × 3", "usual", stacked, async () =>
        (await import("./hono.ts")).usual(),
      ),
      floor: variant("hand-written", "floor", floorNote, async () => (await import("./hono.ts")).floor()),
    },
  },
};

function variant(label: string, kind: Variant["kind"], note: string, start: Variant["start"]): Variant {
  return { label, kind, note, start };
}
