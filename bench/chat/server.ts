import { createLimiter } from "headgate";
import { pino } from "pino";
import { startService } from "../../apps/chat/server/start.ts";
import { attend } from "../measuring/companion.ts";

export interface Setting {
  /** Whether the service uses the chat's limits, or a limiter whose layers apply to nobody. */
  readonly isGuarded: boolean;
  readonly databaseUrl: string;
  /** Where the limits are counted. */
  readonly storageUri: string;
}

/** "url": the service's address. "resident": the resident memory of its process, in bytes. */
export type Question = "url" | "resident";

const nobody = { name: "user", key: () => null, limits: "5/minute" };

attend(({ isGuarded, databaseUrl, storageUri }: Setting) => {
  const starting = startService({
    env: {
      PORT: "0",
      DATABASE_URL: databaseUrl,
      RATE_LIMIT_STORAGE_URI: storageUri,
      // The benchmark opens a thousand streams at the same time: allow more than that.
      MAX_STREAMS: "2000",
    },
    log: pino({ level: "silent" }),
    ...(isGuarded
      ? {}
      : {
          chatLimiter: createLimiter({
            name: "chat",
            layers: [nobody],
            units: ["tokens"],
            onWarning: () => {},
          }),
        }),
  });
  return async (question: Question) => {
    const { url } = await starting;
    return question === "url" ? url : process.memoryUsage.rss();
  };
});
