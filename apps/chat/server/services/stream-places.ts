/** Limits how many answers this process streams at once, because with more, all of them would be slow. */
export interface StreamPlaces {
  /** @returns a function that frees the place, also if called repeatedly; `undefined` if every place is taken */
  take(): (() => void) | undefined;
}

export function createStreamPlaces(most: number): StreamPlaces {
  let taken = 0;
  return {
    take() {
      if (taken >= most) return undefined;
      taken += 1;
      let isTaken = true;
      return () => {
        if (isTaken) taken -= 1;
        isTaken = false;
      };
    },
  };
}
