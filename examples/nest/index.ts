/** NestJS, here over Express. Compile it (`tsc`), run it, then ask six times within a minute. */
import "reflect-metadata";
import { Controller, Get, Module, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { Request } from "express";
import { type Admission, createLimiter } from "headgate";
import { callerAddress } from "headgate/http";
import { CurrentAdmission, rateLimit } from "headgate/nest";

const limiter = createLimiter<{ ip: string }>({
  name: "chat",
  layers: [{ name: "ip", key: ({ ip }) => ip, limits: "5/minute; 60/hour" }],
});

const guard = rateLimit(limiter, {
  caller(context) {
    const { socket, headers } = context.switchToHttp().getRequest<Request>();
    return { ip: callerAddress({ peer: socket.remoteAddress, headers }) };
  },
});

@Controller()
class AnswerController {
  @Get("health")
  health() {
    return "well\n"; // cheap, and therefore not guarded
  }

  @Get()
  @UseGuards(guard) // for all routes at once: app.useGlobalGuards(guard)
  answer(@CurrentAdmission() admission: Admission | undefined) {
    return `an expensive answer; ${admission?.tightest?.remaining} more at once\n`;
  }
}

@Module({ controllers: [AnswerController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ["error"] });
await app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
console.log(`Listening on ${await app.getUrl()}`);
