import type { HttpBindings } from "@hono/node-server";
import type { Admission, Known } from "headgate";
import type { Meter } from "headgate/ai";
import type { Logger } from "pino";
import type { Reading } from "../services/conversations.ts";
import type { Identity } from "../services/identity.ts";
import type { AskedRequest } from "../services/message-request.ts";
import type { Offered } from "../services/model-offers.ts";

/** The context of a request. */
export interface ServiceEnv {
  /** Absent if a test calls `app.request` without a socket. */
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    log: Logger;
    /** Set by the first call of `identify`. */
    identity: Promise<Identity> | undefined;
    /** Set by the limiter that decided the request last. */
    admission: Admission | undefined;
    /** Charges the answer to the admission. */
    meter: Meter | undefined;
    /** What the limiter knows of the message's id, if the id is claimed already. */
    knownMessage: Known | undefined;
    /** Whether the message is admitted without claiming its id. */
    isUnclaimed: boolean | undefined;
    /** The body of `POST /chat/message`, read and checked before its guard decides. */
    asked: AskedRequest;
    /** The model that will answer, at the caller's price. */
    choice: Offered[number];
    /** The conversation that is read, if the limit of reading admits it. */
    reading: Reading;
    /** Settles when the answer that the request started has ended. */
    answered: Promise<void> | undefined;
    /** The names of the limits that refused the request. */
    refusedBy: readonly string[] | undefined;
  };
}
