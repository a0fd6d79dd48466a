import { attend } from "../measuring/companion.ts";
import { postgresContenders } from "../postgres/contenders/index.ts";
import { redisContenders } from "../redis/contenders/index.ts";
import { type Measured, measure, type Task } from "./measure.ts";

export interface Setting {
  readonly contender: string;
  readonly url: string;
}

attend(({ contender, url }: Setting) => {
  const listed = (url.startsWith("redis:") ? redisContenders : postgresContenders)[contender];
  if (listed === undefined) throw new Error(`There is no contender "${contender}".`);
  const opening = listed.load().then((loaded) => loaded.open(url));
  return async (task: Task): Promise<Measured> => measure(await opening, task);
});
