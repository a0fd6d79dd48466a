import * as headgate from "headgate";
import * as client from "headgate/client";
import * as durableObject from "headgate/durable-object";
import * as fetch from "headgate/fetch";
import * as hono from "headgate/hono";
import * as http from "headgate/http";
import * as identity from "headgate/identity";
import * as next from "headgate/next";
import * as postgres from "headgate/postgres";
import * as redis from "headgate/redis";
import * as testing from "headgate/testing";

const parts = {
  headgate,
  client,
  durableObject,
  fetch,
  hono,
  http,
  identity,
  next,
  postgres,
  redis,
  testing,
};

/**
 * Workers allow no random numbers, timers or I/O while a module loads, so creating a limiter or a store must
 * not use them.
 */
const layers: headgate.LayerOptions<string>[] = [
  { name: "user", key: (user) => user, limits: "2/minute; 2 concurrent" },
];
const made = [
  headgate.createLimiter({ name: "chat", layers }),
  headgate.createLimiter({ name: "chat", layers, store: "redis://127.0.0.1:6379" }),
  headgate.createLimiter({ name: "chat", layers, store: "postgres://127.0.0.1:5432/rates" }),
  redis.redisStore("redis://127.0.0.1:6379"),
  postgres.postgresStore("postgres://127.0.0.1:5432/rates"),
  client.createClient(),
];

export default {
  fetch: () => Response.json({ parts: Object.keys(parts).length, made: made.length }),
};
