import type { IncomingMessage, ServerResponse } from "node:http";
import { admissionOf, type NodeListener, rateLimit } from "../../headgate/src/adapters/node.ts";
import {
  type AdapterAnswer,
  type AdapterRoute,
  optionsFor,
  type ServedRoute,
} from "../../headgate/src/testing/index.ts";
import { fieldsOf, textOf, write, writeText } from "./bodies.ts";
import { listening } from "./listening.ts";

export function serveNode({ guards, fieldsBefore, answer, observe }: AdapterRoute): Promise<ServedRoute> {
  const guarded = guards.reduceRight<NodeListener>(
    (listener, { limiter, options }) =>
      rateLimit(limiter, optionsFor(options, fieldsOf, answerRefused))(listener),
    async (request, response) => {
      await write(response, await answer(admissionOf(request), await textOf(request)));
    },
  );
  return listening((request, response) => {
    response.once("close", () => observe(admissionOf(request)));
    for (const [name, value] of Object.entries(fieldsBefore)) response.setHeader(name, value);
    Promise.resolve(guarded(request, response)).catch(() => response.writeHead(500).end());
  });
}

function answerRefused(answer: AdapterAnswer, _request: IncomingMessage, response: ServerResponse): void {
  writeText(response, answer);
}
