import "reflect-metadata";
import type { Server } from "node:http";
import { Readable } from "node:stream";
import {
  All,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Module,
  Req,
  Res,
  type Type,
  UseGuards,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import type { Request as ExpressRequest, Response as ExpressResponse } from "express";
import type { FastifyReply, FastifyRequest } from "fastify";
import { CurrentAdmission, rateLimit } from "../../headgate/src/adapters/nest.ts";
import { admissionOf as admissionOfNode } from "../../headgate/src/adapters/node.ts";
import type { Admission } from "../../headgate/src/core/admission.ts";
import {
  type AdapterAnswer,
  type AdapterGuard,
  type AdapterRoute,
  optionsFor,
  type ServedRoute,
} from "../../headgate/src/testing/index.ts";
import { fieldsOf, textOf, write } from "./bodies.ts";
import { servedBy } from "./listening.ts";

type Handler = (request: never, response: never, admission: Admission | undefined) => Promise<unknown>;

/**
 * Creates a module with one guarded route. It applies decorators by hand, because Node's type stripping does not
 * support them.
 */
export function moduleOf(answer: Handler, ...decorators: MethodDecorator[]): Type {
  class Endpoint {
    answer(request: never, response: never, admission: Admission | undefined) {
      return answer(request, response, admission);
    }
  }
  const { prototype } = Endpoint;
  const method = Object.getOwnPropertyDescriptor(prototype, "answer") as PropertyDescriptor;
  for (const decorate of [All("/"), ...decorators]) decorate(prototype, "answer", method);
  Req()(prototype, "answer", 0);
  Res()(prototype, "answer", 1);
  CurrentAdmission()(prototype, "answer", 2);
  Controller()(Endpoint);
  class Root {}
  Module({ controllers: [Endpoint] })(Root);
  return Root;
}

const fieldsOfContext = (context: ExecutionContext) => fieldsOf(context.switchToHttp().getRequest());
const guardOf = ({ limiter, options }: AdapterGuard) =>
  rateLimit(limiter, optionsFor(options, fieldsOfContext, answerRefused));

/** Answers through the platform's own response: Express's response or Fastify's reply. */
function answerRefused({ status, headers, body }: AdapterAnswer, context: ExecutionContext): void {
  const response = context.switchToHttp().getResponse<ExpressResponse | FastifyReply>();
  if ("raw" in response) response.code(status).headers(headers).send(body);
  else response.status(status).set(headers).send(body);
}

export async function serveNestOnExpress(route: AdapterRoute): Promise<ServedRoute> {
  const { guards, fieldsBefore, answer, observe } = route;
  const root = moduleOf(
    async (request: ExpressRequest, response: ExpressResponse, admission) => {
      const given = await answer(admission, await textOf(request));
      if (typeof given.body === "string") response.status(given.status).set(given.headers).send(given.body);
      else await write(response, given);
    },
    UseGuards(...guards.map(guardOf)),
  );
  const app = await NestFactory.create(root, new ExpressAdapter(), { logger: false });
  app.use((request: ExpressRequest, response: ExpressResponse, next: () => void) => {
    response.once("close", () => observe(admissionOfNode(request)));
    response.set(fieldsBefore);
    next();
  });
  await app.listen(0, "127.0.0.1");
  return servedBy(app.getHttpServer(), () => app.close());
}

export async function serveNestOnFastify(route: AdapterRoute): Promise<ServedRoute> {
  const { guards, fieldsBefore, answer, observe } = route;
  const root = moduleOf(
    async (request: FastifyRequest, reply: FastifyReply, admission) => {
      const { status, headers, body } = await answer(admission, String(request.body ?? ""));
      reply.code(status).headers(headers);
      reply.send(body === null || typeof body === "string" ? (body ?? undefined) : Readable.from(body));
    },
    UseGuards(...guards.map(guardOf)),
  );
  const platform = new FastifyAdapter();
  const app = await NestFactory.create(root, platform, { logger: false });
  platform.getInstance().addHook("onRequest", (request, reply, done) => {
    reply.raw.once("close", () => observe(admissionOfNode(request.raw)));
    reply.headers(fieldsBefore);
    done();
  });
  await app.listen(0, "127.0.0.1");
  return servedBy(app.getHttpServer(), () => app.close());
}

/** Serves a single route on Express's platform, behind a guard. */
export async function serveNestCaller(guard: CanActivate, where: object) {
  const root = moduleOf(async (_request: never, response: ExpressResponse) => {
    response.send("ok");
  }, UseGuards(guard));
  const app = await NestFactory.create(root, new ExpressAdapter(), { logger: false });
  await app.init();
  const server = app.getHttpServer() as Server;
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const address = server.address();
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, close: () => app.close() };
}
