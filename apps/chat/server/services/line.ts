/** Lets a limited number of callers work at a time. The others wait in order of arrival. */
export interface Line {
  /**
   * @param left aborts if the caller no longer wants the work to be done. It has no effect after the work has begun.
   * @throws {LeftTheLine} if the caller left before the work began
   */
  run<Result>(work: () => Promise<Result>, left?: AbortSignal): Promise<Result>;
}

/** The error if the caller left before the work began, so that nothing was done. */
export class LeftTheLine extends Error {
  override name = "LeftTheLine";
}

export function createLine(most: number): Line {
  /** The waiting callers, in order of arrival. Each callback gives a place to one caller. */
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
