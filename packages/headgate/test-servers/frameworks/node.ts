import { admissionOf, rateLimit } from "../../src/adapters/node.ts";
import { type AdapterRoute, optionsFor, type ServedRoute } from "../../src/testing/index.ts";
import { fieldsOf, textOf, write } from "./bodies.ts";
import { listening } from "./listening.ts";

export function serveNode({ limiter, options, exposedBefore, answer }: AdapterRoute): Promise<ServedRoute> {
  const guard = rateLimit(limiter, optionsFor(options, fieldsOf));
  const guarded = guard(async (request, response) => {
    await write(response, await answer(admissionOf(request), await textOf(request)));
  });
  return listening((request, response) => {
    if (exposedBefore !== undefined) response.setHeader("Access-Control-Expose-Headers", exposedBefore);
    guarded(request, response);
  });
}
