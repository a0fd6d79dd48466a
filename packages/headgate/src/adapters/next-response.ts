import type { ServerResponse } from "node:http";
import { processWide } from "../core/copies.ts";
import { endDecision } from "../http/guard/decisions.ts";
import type { JointResponse } from "./fetch.ts";
import { endWithResponse, writeFieldsWithHead } from "./node-response.ts";

interface Noted {
  readonly joint: JointResponse;
  /** What a request leaves behind, such as a connection, keeps its context: the response must not be kept with it. */
  readonly outgoing: WeakRef<ServerResponse>;
}

interface Watch {
  /** The response to the request that is being handled. */
  current?: { getStore(): Noted | undefined };
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
  const responses = new hooks.AsyncLocalStorage<Noted>();
  watch.by.current = responses;
  channels.subscribe("http.server.request.start", (message) => {
    const outgoing = new WeakRef((message as { response: ServerResponse }).response);
    responses.enterWith({ outgoing, joint: jointResponse(outgoing) });
  });
}

/**
 * Node's response to the request that is being handled; `undefined` where it is not known, or where its head was sent: what
 * goes on afterwards is not part of it.
 */
export function responseNow(): JointResponse | undefined {
  const noted = watch.by.current?.getStore();
  const outgoing = noted?.outgoing.deref();
  return outgoing === undefined || outgoing.headersSent || outgoing.destroyed ? undefined : noted?.joint;
}

function jointResponse(noted: WeakRef<ServerResponse>): JointResponse {
  return {
    decisions: undefined,

    endWith(decision) {
      const outgoing = noted.deref();
      // The client has left while the handler ran.
      if (outgoing === undefined || outgoing.destroyed) endDecision(decision, undefined, false);
      else endWithResponse(decision, outgoing);
    },

    writeWithHead(fields) {
      const outgoing = noted.deref();
      if (outgoing !== undefined) writeFieldsWithHead(outgoing, fields);
    },
  };
}
