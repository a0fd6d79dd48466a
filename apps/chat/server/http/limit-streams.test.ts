import { EventEmitter } from "node:events";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { createStreamPlaces } from "../services/stream-places.ts";
import { limitStreams } from "./limit-streams.ts";
import type { ServiceEnv } from "./service-env.ts";

test.each([
  ["answered", "closed"],
  ["closed", "answered"],
] as const)(
  "a place is free once the answer has ended and its response is closed (%s first)",
  async (first, second) => {
    const places = createStreamPlaces(1);
    const outgoing = Object.assign(new EventEmitter(), { closed: false });
    let end = () => {};
    const answered = new Promise<void>((resolve) => (end = resolve));
    const app = new Hono<ServiceEnv>();
    app.get("/", limitStreams(places), (c) => {
      c.set("answered", answered);
      return c.text("answer");
    });
    await app.request("/", {}, { outgoing });
    const happen = { answered: () => end(), closed: () => void outgoing.emit("close") };
    const isFree = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      const leave = places.take();
      leave?.();
      return leave !== undefined;
    };
    expect(await isFree()).toBe(false);
    happen[first]();
    expect(await isFree()).toBe(false);
    happen[second]();
    expect(await isFree()).toBe(true);
  },
);
