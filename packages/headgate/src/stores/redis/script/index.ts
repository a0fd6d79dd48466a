import { concurrent } from "./concurrent.ts";
import { fixedWindow } from "./fixed-window.ts";
import { partition } from "./partition.ts";
import { requests } from "./requests.ts";
import { slidingCounter } from "./sliding-counter.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

const names = /* lua */ `
local byte, char, sub, find = string.byte, string.char, string.sub, string.find
local rep, format, concat = string.rep, string.format, table.concat
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local pack, unpackFrom = struct.pack, struct.unpack
local latestBlank = 281474976710655
`;

const parts = [
  names,
  slidingWindow,
  tokenBucket,
  fixedWindow,
  slidingCounter,
  concurrent,
  partition,
  requests,
];

/**
 * The one script of the store, in Lua 5.1 as Redis 6.2, 7 and Valkey run it alike: no flags in a first line, every
 * key declared, no globals. Comments and indentation stay behind: it travels whenever a server does not know it.
 */
export const script = parts
  .join("")
  .replace(/^\s*--.*$/gm, "")
  .replace(/^\s+/gm, "");

/**
 * What servers know the script by: its SHA-1, which is Redis's choice; nothing is kept secret or authenticated by it.
 * Written down, because a runtime without Node's own modules could only tell it later; a test tells what it must be.
 */
export const scriptSha = "33aa7e9c6c056a9c7ecb3c8c4c1ef62c700eec43";
