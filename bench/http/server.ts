import { attend } from "../measuring/companion.ts";
import { frameworks } from "./frameworks/index.ts";

export interface Setting {
  readonly framework: string;
  readonly variant: string;
}

/** "port": the server's port. "work": the processor time of all its threads, in microseconds. */
export type Question = "port" | "work";

attend(({ framework, variant }: Setting) => {
  const start = frameworks[framework]?.variants[variant]?.start;
  if (start === undefined) throw new Error(`There is no ${framework} with ${variant}.`);
  const listening = start();
  return async (question: Question) => {
    if (question === "port") return listening;
    const { user, system } = process.cpuUsage();
    return user + system;
  };
});
