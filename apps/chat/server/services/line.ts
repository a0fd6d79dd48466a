/** Lets so many work at a time; the others wait in the order in which they came. */
export interface Line {
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createLine(most: number): Line {
  const waiting: (() => void)[] = [];
  let working = 0;

  return {
    async run(work) {
      if (working < most) working += 1;
      // Whoever leaves hands their place on.
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else working -= 1;
      }
    },
  };
}
