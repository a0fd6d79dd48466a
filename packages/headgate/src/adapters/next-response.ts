import type { ServerResponse } from "node:http";
import { processWide } from "../core/copies.ts";
import type { JointResponse } from "./fetch.ts";
import { endWithResponse, writeFieldsWithHead } from "./node-response.ts";

interface Watch {
  /** The response to the request that is being handled. */
  current?: { getStore(): JointResponse | undefined };
}

/** One for all bundles of an application: Next puts `proxy` and each route into one of its own. */
const watch = /* @__PURE__ */ processWide("next-responses", (): { by: Watch } => ({ by: {} }));

/**
 * Notes Node's response to each request from now on: `proxy` and a route make it together, and Next shows it to neither.
 * Where there is no server of Node's own, nothing is noted.
 */
export function watchResponses(): void {
  if (watch.by.current !== undefined) return;
  const hooks = globalThis.process?.getBuiltinModule?.("node:async_hooks");
  const channels = globalThis.process?.getBuiltinModule?.("node:diagnostics_channel");
  if (hooks === undefined || channels === undefined) return;
  const responses = new hooks.AsyncLocalStorage<JointResponse>();
  watch.by.current = responses;
  channels.subscribe("http.server.request.start", (message) => {
    responses.enterWith(jointResponse((message as { response: ServerResponse }).response));
  });
}

/** Node's response to the request that is being handled; `undefined` where it is not known. */
export function responseNow(): JointResponse | undefined {
  return watch.by.current?.getStore();
}

function jointResponse(outgoing: ServerResponse): JointResponse {
  return {
    decisions: undefined,
    endWith: (decision) => endWithResponse(decision, outgoing),
    writeWithHead: (fields) => writeFieldsWithHead(outgoing, fields),
  };
}
