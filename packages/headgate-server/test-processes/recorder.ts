import { once } from "node:events";
import { createLimiter, type LayerOptions } from "headgate";
import { decisionLog, logFiles } from "headgate/log";

/** The settings of a process that records. */
export interface Recording {
  readonly url: string;
  readonly folder: string;
  readonly seed: number;
  readonly decisions: number;
  /** The maximum number of requests in flight at the same time. */
  readonly together: number;
}

interface Caller {
  readonly user: string;
  readonly org: string | null;
  readonly ip: string;
}

/** A caller without a key in any layer, so that the log also has the partition that such callers share. */
const nobody = {} as Caller;

const plansByOrg: Record<string, string> = { o0: "free", o1: "pro", o2: "staff", o3: "closed", o4: "coarse" };

/**
 * Layers with every algorithm, plans, limits by caller, tokens and places. Their windows are seconds long, so that a
 * short run can fill and empty them.
 */
const layers: readonly LayerOptions<Caller>[] = [
  {
    name: "user",
    key: ({ user }) => user,
    limits: "8/second; 18/3 seconds sliding-counter; 3000 tokens/2 seconds; 2 concurrent",
  },
  {
    name: "org",
    key: ({ org }) => org,
    plan: ({ org }) => plansByOrg[org ?? ""],
    plans: {
      free: "30/second fixed-window; 6000 tokens/3 seconds sliding-window",
      pro: "40/second token-bucket; 20 concurrent",
      coarse: "1500/2 seconds",
      staff: "unlimited",
      closed: "blocked",
    },
    defaultPlan: "free",
  },
  {
    name: "ip",
    key: ({ ip }) => ip,
    limits: ({ ip }) => (ip === "ip0" ? "10/second" : "60/second; 200/5 seconds"),
    defaultLimits: "20/second",
    units: ["requests"],
  },
];
const otherLimits = "6/second; 12/3 seconds; 2000 tokens/2 seconds; 1 concurrent";

const { url, folder, seed, decisions, together } = JSON.parse(process.argv[2] ?? "") as Recording;
const random = randomFrom(seed);
const limiter = createLimiter<Caller>({
  name: "chat",
  store: url,
  layers,
  units: ["tokens"],
  timeouts: { storeMs: 60_000 },
  onError() {},
});
const log = decisionLog({
  writer: logFiles(folder, { maxBytes: 2_000_000, maxFiles: 1000 }),
  secret: "for all processes",
});
log.record(limiter);
await limiter.ready({ timeoutMs: 60_000 });
process.stdout.write("ready\n");
await once(process.stdin, "data");

let left = decisions;
await Promise.all(Array.from({ length: together }, work));
await log.close();
await limiter.close();
process.stdout.write(`${JSON.stringify(log.status())}\n`);
process.stdin.destroy();

async function work(): Promise<void> {
  while (left > 0) {
    left -= 1;
    if (left === Math.floor(decisions / 2)) limiter.setPolicy(changed());
    await oneRequest();
    if (random() < 0.002) await operate();
    // Let time pass, so that windows move.
    if (random() < 0.05) await pause(Math.floor(random() * 10));
  }
}

async function oneRequest(): Promise<void> {
  const holds = random() < 0.4;
  const cost = holds ? { tokens: 50 + Math.floor(random() * 400) } : { tokens: 0, concurrent: 0 };
  const admission = await limiter.admit(random() < 0.02 ? nobody : caller(), { cost });
  if (!admission.admitted) return;
  if (!holds) {
    if (random() < 0.1) await admission.end("nothing");
    return;
  }
  if (random() < 0.5) await pause(Math.floor(random() * 20));
  if (random() < 0.3) await admission.extend({ tokens: 100 });
  if (random() < 0.3) await admission.report({ tokens: Math.floor(random() * 100) });
  await admission.end(random() < 0.1 ? "nothing" : { tokens: Math.floor(random() * 500) });
}

/** Acts like an operator, while callers send requests. */
async function operate(): Promise<void> {
  const one = caller();
  const what = random();
  if (what < 0.3) await limiter.penalise(one, { requests: 3 });
  else if (what < 0.6) await limiter.override(one, { limits: "15/second", forMs: 400 });
  else if (what < 0.8) await limiter.block(one, { forMs: 200 });
  else await limiter.endOverride(one);
}

function changed(): readonly LayerOptions<Caller>[] {
  return layers.map((layer) =>
    layer.name === "user" ? ({ ...layer, limits: otherLimits } as LayerOptions<Caller>) : layer,
  );
}

function caller(): Caller {
  const org = random() < 0.3 ? null : `o${Math.floor(random() * 5)}`;
  // A few callers send far more requests than the others.
  return { user: `u${Math.floor(random() ** 2 * 40)}`, org, ip: `ip${Math.floor(random() * 8)}` };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Returns Mulberry32 random numbers: the same seed gives the same requests. */
function randomFrom(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
