import { bytes } from "./bytes/section.ts";
import { chat } from "./chat/section.ts";
import { estimate } from "./estimate/section.ts";
import { flood } from "./flood/section.ts";
import { http } from "./http/section.ts";
import { memory } from "./memory/section.ts";
import { operator } from "./operator/section.ts";
import { postgres } from "./postgres/section.ts";
import { redis } from "./redis/section.ts";
import type { Section } from "./report/result.ts";
import { start } from "./start/section.ts";
import { state } from "./state/section.ts";

/** In the order in which they run. */
export const sections: readonly Section[] = [
  memory,
  bytes,
  redis,
  postgres,
  state,
  http,
  estimate,
  flood,
  operator,
  chat,
  start,
];
