import type { ServerResponse } from "node:http";
import { processWide } from "../core/copies.ts";
import { endDecision } from "../http/guard/decisions.ts";
import type { JointResponse } from "./fetch.ts";
import { endWithResponse, writeFieldsWithHead } from "./node-response.ts";

interface Noted {
  readonly joint: JointResponse;
  /**
   * Objects that outlive a request, such as connections, keep its context. The weak reference lets the response be
   * collected.
   */
  readonly outgoing: WeakRef<ServerResponse>;
}

interface Watch {
  /** The response to the request that is being handled. */
  current?: { getStore(): Noted | undefined };
}

/** Shared by all bundles of an application, because Next puts `proxy` and each route into separate bundles. */
const watch = /* @__PURE__ */ processWide("next-responses", (): { by: Watch } => ({ by: {} }));

/**
 * Records Node's response to each request from now on. `proxy` and a route make that response together, but Next passes
 * it to neither. Without Node's own server, nothing is recorded.
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
 * Returns Node's response to the request that is being handled. `undefined` if it is not known, or if its head has been
 * sent: later work is not part of the request.
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
      // The client left while the handler ran.
      if (outgoing === undefined || outgoing.destroyed) endDecision(decision, undefined, false);
      else endWithResponse(decision, outgoing);
    },

    writeWithHead(fields) {
      const outgoing = noted.deref();
      if (outgoing !== undefined) writeFieldsWithHead(outgoing, fields);
    },
  };
}
