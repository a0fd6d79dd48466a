import { createHash } from "node:crypto";
import type { ClaimOptions, Known } from "headgate";
import type { RateLimitVariables } from "headgate/hono";
import type { Context, MiddlewareHandler } from "hono";
import type { ServiceEnv } from "../http/service-env.ts";
import { otherWords, type Question, stillAnswered } from "../services/asked-question.ts";

/** How often the database is asked again for a message that another request is about to store. */
const PAUSE_MS = 50;

/** How long a request waits for such a message, in milliseconds. */
const LONGEST_MS = 10_000;

/**
 * Returns the id that a message claims with its admission, within its owner and conversation. Messages with the same id share one
 * answer, unless they replace different answers.
 *
 * @returns `undefined` for a message without an id
 */
export function claimOf({
  owner,
  conversationId = "",
  replaces = "",
  messages,
}: Question): Pick<ClaimOptions, "id" | "fingerprint"> | undefined {
  const asked = messages.at(-1);
  if (asked?.id === undefined) return undefined;
  const named = [owner, conversationId, asked.id, replaces];
  return { id: digestOf(named), fingerprint: digestOf([...named, asked.text]) };
}

/** Only digests are sent to the store, never a person's text. */
function digestOf(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("base64url");
}

/**
 * Wraps the rate limit, which claims the ids of messages. A request whose id is already claimed is not charged: it gets
 * the answer of the request that claimed the id, once this answer is in the database. The database decides: an id that
 * the limiter knows and the database does not, such as one of a deleted conversation, is admitted without a claim.
 *
 * @param guard sets `knownMessage` if the id is known, and claims no id if `isUnclaimed` is set
 * @param findAnswer returns the answer of a message that the database knows
 */
export function claimMessage(
  guard: MiddlewareHandler<{ Variables: RateLimitVariables }>,
  findAnswer: (c: Context<ServiceEnv>) => Promise<Response | undefined>,
): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    const guarded = c as unknown as Context<{ Variables: RateLimitVariables }>;
    const deadline = performance.now() + LONGEST_MS;
    for (;;) {
      c.set("knownMessage", undefined);
      const response = await guard(guarded, next);
      const known: Known | undefined = c.get("knownMessage");
      if (known === undefined) return response;
      const answer = await findAnswer(c);
      if (answer !== undefined) return answer;
      if (known.state === "conflict") throw otherWords();
      if (known.state === "done") c.set("isUnclaimed", true);
      else if (performance.now() > deadline) throw stillAnswered();
      // The request that claimed the id will store its message in a moment. If it fails, this request is admitted.
      else await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
}
