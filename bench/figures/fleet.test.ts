import { describe, expect, it } from "vitest";
import type { ContainerOptions } from "./container.ts";
import { startFleet } from "./fleet.ts";

const options: ContainerOptions = {
  store: "memory://",
  limits: "5/minute",
  outage: "local",
  timeouts: { storeMs: 250 },
  awaitsStore: true,
};

describe("a fleet of containers", () => {
  it("counts separately in each container, and from zero in each new container", async () => {
    const fleet = await startFleet(options, 2);
    try {
      expect(await fleet.send("alice", 30)).toBe(10);
      expect(await fleet.send("alice", 30)).toBe(0);
      expect(await fleet.send("bob", 4)).toBe(4);
      await fleet.replaceAll();
      expect(await fleet.send("alice", 30)).toBe(10);
    } finally {
      await fleet.end();
    }
  });

  it("reports why a container does not start", async () => {
    await expect(startFleet({ ...options, store: "nowhere://" }, 2)).rejects.toThrow(
      /ended before it listened: [\s\S]*No store is known for "nowhere:\/\/"/,
    );
  });
});
