import { servedBy } from "@headgate/test-servers/frameworks/listening.ts";
import { moduleOf } from "@headgate/test-servers/frameworks/nest.ts";
import {
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  HttpException,
  SetMetadata,
  UseGuards,
} from "@nestjs/common";
import { NestFactory, Reflector } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import type { Request as ExpressRequest } from "express";
import { describe, expect, it } from "vitest";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { admissionOf, RefusedException, rateLimit } from "./nest.ts";

const limiterOf = (limits: string, onError = (_error: unknown) => {}) =>
  createLimiter<string>({ name: "chat", layers: [{ name: "user", key: (user) => user, limits }], onError });

interface Answering {
  send(text: string): unknown;
}
const hello = async (_request: never, response: Answering) => response.send("hello");

const platforms = {
  express: () => new ExpressAdapter(),
  fastify: () => new FastifyAdapter(),
};

/** Starts a Nest application with one route, sends `count` requests, and returns the responses. */
async function ask(
  platform: keyof typeof platforms,
  count: number,
  decorators: MethodDecorator[],
  prepare: (app: Awaited<ReturnType<typeof NestFactory.create>>) => void = () => {},
) {
  const app = await NestFactory.create(moduleOf(hello, ...decorators), platforms[platform](), {
    logger: false,
  });
  prepare(app);
  await app.listen(0, "127.0.0.1");
  const { origin, close } = servedBy(app.getHttpServer(), () => app.close());
  try {
    const replies: { status: number; headers: Headers; body: string }[] = [];
    for (let n = 0; n < count; n += 1) {
      const response = await fetch(origin);
      replies.push({ status: response.status, headers: response.headers, body: await response.text() });
    }
    return replies;
  } finally {
    await close();
  }
}

/** An application's exception filter. */
class OwnFilter implements ExceptionFilter {
  readonly caught: unknown[] = [];
  catch(exception: unknown, host: { switchToHttp(): { getResponse(): OwnResponse } }) {
    this.caught.push(exception);
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    host.switchToHttp().getResponse().status(status).send({ own: status });
  }
}
interface OwnResponse {
  status(code: number): { send(payload: unknown): void };
}
Catch()(OwnFilter);

describe.each(["express", "fastify"] as const)("on Nest over %s", (platform) => {
  it("throws an exception, to which a filter of the application can respond, and sets the fields", async () => {
    const filter = new OwnFilter();
    const guard = UseGuards(rateLimit(limiterOf("1/hour"), { caller: () => "x" }));
    const [first, second] = await ask(platform, 2, [guard], (app) => app.useGlobalFilters(filter));
    expect(first?.body).toBe("hello");
    expect([second?.status, second?.body]).toEqual([429, '{"own":429}']);
    expect(second?.headers.get("Content-Type")).toBe("application/json; charset=utf-8");
    expect(second?.headers.get("Retry-After")).toBe("3600");
    expect(second?.headers.get("RateLimit")).toBe('"user-per-hour";r=0;t=3600');
    const [exception] = filter.caught as RefusedException[];
    expect(exception).toBeInstanceOf(RefusedException);
    expect(exception?.getStatus()).toBe(429);
    expect(exception?.getResponse()).toBe(exception?.problem);
    expect(exception?.message).toContain("The limit of 1 request per hour has been reached.");
  });

  it("throws the exception that onRefused returns, and keeps a response that onRefused has sent", async () => {
    const paying = UseGuards(
      rateLimit(limiterOf("1/hour"), { caller: () => "x", onRefused: () => new HttpException("pay", 402) }),
    );
    const [, paid] = await ask(platform, 2, [paying]);
    expect([paid?.status, paid?.headers.has("RateLimit")]).toEqual([402, false]);
    const answering = UseGuards(
      rateLimit(limiterOf("1/hour"), {
        caller: () => "x",
        async onRefused(_refused, context) {
          context.switchToHttp().getResponse<OwnResponse>().status(418).send("slow");
        },
      }),
    );
    const [, answered] = await ask(platform, 2, [answering]);
    expect([answered?.status, answered?.body]).toEqual([418, "slow"]);
  });

  it("guards the whole application, and reads the metadata of methods", async () => {
    const reflector = new Reflector();
    const guard = rateLimit(limiterOf("3/hour"), {
      caller: () => "x",
      cost: (context) => ({ requests: reflector.get<number>("cost", context.getHandler()) }),
    });
    const replies = await ask(platform, 2, [SetMetadata("cost", 2)], (app) => app.useGlobalGuards(guard));
    expect(replies.map(({ status }) => status)).toEqual([200, 429]);
  });

  it("keeps the fields on responses by Nest", async () => {
    const failing = {
      canActivate() {
        throw new HttpException("teapot", 418);
      },
    };
    const guards = UseGuards(rateLimit(limiterOf("5/hour"), { caller: () => "x" }), failing);
    const [reply] = await ask(platform, 1, [guards]);
    expect([reply?.status, reply?.headers.get("RateLimit")]).toEqual([418, '"user-per-hour";r=4;t=3600']);
  });
});

describe("on Nest", () => {
  it("lets calls other than HTTP pass, and reports that they are not counted", () => {
    const errors: unknown[] = [];
    const guard = rateLimit(
      limiterOf("1/hour", (error) => errors.push(error)),
      { caller: () => "x" },
    );
    const context = { getType: () => "graphql" } as ExecutionContext;
    expect([guard.canActivate(context), guard.canActivate(context)]).toEqual([true, true]);
    expect(admissionOf(context)).toBeUndefined();
    expect(String(errors[0])).toContain('"graphql" passed uncounted');
  });

  it("accepts functions of a Nest context only", () => {
    const limiter: Limiter<string> = limiterOf("5/hour");
    rateLimit(limiter, { caller: (context) => context.switchToHttp().getRequest<ExpressRequest>().ip ?? "" });
    // @ts-expect-error a function of an Express request
    rateLimit(limiter, { caller: (request: ExpressRequest) => request.ip ?? "" });
  });
});
