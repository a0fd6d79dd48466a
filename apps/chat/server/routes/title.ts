import { Hono } from "hono";
import { z } from "zod";
import type { TitleResponse } from "../../contract.ts";
import { readBody } from "../http/body.ts";
import { accountRequired } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import { type IdentitySources, identify, ownerOf, rateLimitCaller } from "../services/identity.ts";
import type { ModelOffers } from "../services/model-offers.ts";
import type { TitleService } from "../services/titles.ts";

const titleRequest = z.looseObject(
  { conversation_id: z.string({ error: "should be the id of a conversation" }) },
  { error: "should be an object with a conversation_id" },
);

export interface TitleDependencies {
  sources: IdentitySources;
  titles: TitleService;
  modelOffers: ModelOffers;
  requireAccount: boolean;
}

/** The route that gives a conversation a title. */
export function titleRoutes({
  sources,
  titles,
  requireAccount,
  modelOffers,
}: TitleDependencies): Hono<ServiceEnv> {
  const routes = new Hono<ServiceEnv>();

  routes.post("/chat/title", async (c) => {
    const { conversation_id: conversationId } = await readBody(c, titleRequest);
    const identity = await identify(c, sources);
    const payer = identity.kind === "account" ? identity.id : undefined;
    if (requireAccount && payer === undefined) throw accountRequired();
    const [choice] = modelOffers.of(await rateLimitCaller(c, sources));
    const title = await titles.name({ owner: ownerOf(identity), payer, conversationId, choice });
    return c.json({ title } satisfies TitleResponse);
  });

  return routes;
}
