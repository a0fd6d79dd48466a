import type { HttpBindings } from "@hono/node-server";
import type { Admission } from "headgate";
import type { Logger } from "pino";
import type { Identity } from "../services/identity.ts";
import type { AskedRequest } from "../services/message-request.ts";
import type { Offered } from "../services/model-offers.ts";

/** What a request carries from one handler to the next. */
export interface ServiceEnv {
  /** Absent where a test calls `app.request` without a socket. */
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    log: Logger;
    /** Set once by the first that asks; see `identify`. */
    identity: Promise<Identity> | undefined;
    /** Set by whatever limiter decided the request last. */
    admission: Admission | undefined;
    /** What `POST /chat/message` is asked, read and checked before its guard decides. */
    asked: AskedRequest;
    /** The model that is to answer, at the price that its caller pays. */
    choice: Offered[number];
    /** Settles when the answer that the request began has ended. */
    answered: Promise<void> | undefined;
    /** The names of the limits that refused the request. */
    refusedBy: readonly string[] | undefined;
  };
}
