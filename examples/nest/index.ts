/** NestJS, here over Express. Compile it (`tsc`), run it, then send six requests within a minute. */
import "reflect-metadata";
import { Controller, Get, Module, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { type Admission, createLimiter } from "headgate";
import { CurrentAdmission, clientAddress, rateLimit } from "headgate/nest";

const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "ip", key: (ip: string) => ip, limits: "5/minute; 60/hour" }],
});

const guard = rateLimit(limiter, { caller: clientAddress });

@Controller()
class AnswerController {
  @Get("health")
  health() {
    return "well\n"; // cheap, so not guarded
  }

  @Get()
  @UseGuards(guard) // to guard all routes: app.useGlobalGuards(guard)
  answer(@CurrentAdmission() admission: Admission | undefined) {
    return `an expensive answer; ${admission?.tightest?.remaining} more at once\n`;
  }
}

@Module({ controllers: [AnswerController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ["error"] });
await app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
console.log(`Listening on ${await app.getUrl()}`);
