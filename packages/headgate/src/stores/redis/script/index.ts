import { attempts } from "./attempts.ts";
import { claims } from "./claims.ts";
import { numberFields } from "./fields.ts";
import { reading, writing } from "./keys.ts";
import { logs } from "./logs.ts";
import { others } from "./others.ts";
import { plain } from "./plain.ts";
import { message, requests, setUp } from "./requests.ts";
import { single } from "./single.ts";

const names = /* lua */ `
local keys = KEYS
local byte, char, sub, format, concat = string.byte, string.char, string.sub, string.format, table.concat
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local pack, unpackFrom = struct.pack, struct.unpack
local latestBlank, largestUsualQuota = 281474976710655, 1000
`;

const parts = [
  names,
  message,
  logs,
  single,
  setUp,
  reading,
  plain,
  attempts,
  others,
  claims,
  requests,
  writing,
];

/**
 * The one script of the store, in Lua 5.1 as Redis 6.2, 7 and Valkey run it alike: no flags in a first line, every
 * key declared, no globals. Comments and indentation stay behind: it travels whenever a server does not know it.
 */
export const script = numberFields(parts.join(""))
  .replace(/^\s*--.*$/gm, "")
  .replace(/^\s+/gm, "");

/**
 * What servers know the script by: its SHA-1, which is Redis's choice; nothing is kept secret or authenticated by it.
 * Written down, because a runtime without Node's own modules could only tell it later; a test tells what it must be.
 */
export const scriptSha = "78e34cf84de1515d250d8273c93eed5e0de15d45";
