import { admissionOf, type NodeListener, rateLimit } from "../../src/adapters/node.ts";
import { type AdapterRoute, optionsFor, type ServedRoute } from "../../src/testing/index.ts";
import { fieldsOf, textOf, write } from "./bodies.ts";
import { listening } from "./listening.ts";

export function serveNode({ guards, fieldsBefore, answer }: AdapterRoute): Promise<ServedRoute> {
  const guarded = guards.reduceRight<NodeListener>(
    (listener, { limiter, options }) => rateLimit(limiter, optionsFor(options, fieldsOf))(listener),
    async (request, response) => {
      await write(response, await answer(admissionOf(request), await textOf(request)));
    },
  );
  return listening((request, response) => {
    for (const [name, value] of Object.entries(fieldsBefore)) response.setHeader(name, value);
    guarded(request, response);
  });
}
