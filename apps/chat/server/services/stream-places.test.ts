import { expect, test } from "vitest";
import { createStreamPlaces } from "./stream-places.ts";

test("one group cannot take the places of all, and has its own again once it frees them", () => {
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
