import { expect, test } from "vitest";
import { createStreamPlaces } from "./stream-places.ts";

test("a group cannot take every place, and can take its places again after freeing them", () => {
  const places = createStreamPlaces(4, 2);
  const [leave] = [places.take("a"), places.take("a")];
  expect(places.take("a")).toBeUndefined();
  expect(places.take("b")).toBeDefined();
  leave?.();
  leave?.();
  expect(places.take("a")).toBeDefined();
  expect(places.take("a")).toBeUndefined();
  expect(places.take("c")).toBeDefined();
  expect(places.take("d")).toBeUndefined();
});
