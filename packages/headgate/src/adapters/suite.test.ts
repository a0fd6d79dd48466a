import { frameworks } from "@headgate/test-servers/frameworks/index.ts";
import { describe, it } from "vitest";
import { adapterSuite } from "../testing/index.ts";

describe.each(Object.entries(frameworks))("adapterSuite on %s", (_name, serve) => {
  const suite = adapterSuite({ serve });

  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run());
});
