import { attempts } from "./attempts.ts";
import { claims } from "./claims.ts";
import { numberFields } from "./fields.ts";
import { heldRecords } from "./held-records.ts";
import { reading, writing } from "./keys.ts";
import { logs } from "./logs.ts";
import { others } from "./others.ts";
import { plain } from "./plain.ts";
import { renewals } from "./renewals.ts";
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
  heldRecords,
  renewals,
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
 * The store's only script, in Lua 5.1 that Redis 6.2, 7 and Valkey run in the same way: no flags in the first line, all
 * keys declared, no globals. Comments and indentation are removed, because the script is sent to servers that do not know it.
 */
export const script = numberFields(parts.join(""))
  .replace(/^\s*--.*$/gm, "")
  .replace(/^\s+/gm, "");

/**
 * The script's SHA-1, by which servers identify it. Redis chose SHA-1; it is not used for security here.
 * It is a constant, because a runtime without Node's modules can only hash asynchronously. A test checks the value.
 */
export const scriptSha = "eb1923d73b6ed36ad766d24088c5406a1e1d1323";
