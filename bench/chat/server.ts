import { createLimiter } from "headgate";
import { pino } from "pino";
import { startService } from "../../apps/chat/server/start.ts";
import { attend } from "../measuring/companion.ts";

export interface Setting {
  /** Whether the chat's own limits guard it, or a limiter none of whose layers applies to anybody. */
  readonly isGuarded: boolean;
}

/** "url": where it listens. "resident": the bytes of memory that it holds. */
export type Question = "url" | "resident";

const nobody = { name: "user", key: () => null, limits: "5/minute" };

attend(({ isGuarded }: Setting) => {
  const starting = startService({
    // A thousand answers at once are what is measured.
    env: { PORT: "0", DATABASE_URL: "pglite://memory", MAX_STREAMS: "2000" },
    log: pino({ level: "silent" }),
    ...(isGuarded
      ? {}
      : { chatLimiter: createLimiter({ name: "chat", layers: [nobody], onWarning: () => {} }) }),
  });
  return async (question: Question) => {
    const { url } = await starting;
    return question === "url" ? url : process.memoryUsage.rss();
  };
});
