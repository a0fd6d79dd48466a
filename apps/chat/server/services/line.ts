/** Lets a number of callers work at a time. The others wait in the order in which they came. */
export interface Line {
  /**
   * @param left aborts if the caller no longer wants the work done. It has an effect until the work begins.
   * @throws {LeftTheLine} if the caller left before the work began
   */
  run<Result>(work: () => Promise<Result>, left?: AbortSignal): Promise<Result>;
}

/** The caller left before the work began, so nothing was done. */
export class LeftTheLine extends Error {
  override name = "LeftTheLine";
}

export function createLine(most: number): Line {
  /** In the order in which they came. Each callback gives a place to one caller. */
  const waiting = new Set<() => void>();
  let working = 0;

  function wait(left: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        left?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.delete(begin);
        reject(new LeftTheLine());
      };
      waiting.add(begin);
      left?.addEventListener("abort", leave, { once: true });
    });
  }

  function passOn(): void {
    const [next] = waiting;
    if (next === undefined) {
      working -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async run(work, left) {
      if (left?.aborted) throw new LeftTheLine();
      if (working < most) working += 1;
      else await wait(left);
      try {
        return await work();
      } finally {
        passOn();
      }
    },
  };
}
