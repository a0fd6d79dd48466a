/** How many answers this process streams at once: beyond it, every one of them would come slowly. */
export interface StreamPlaces {
  /** @returns gives the place back, once however often it is called; `undefined` when every place is taken */
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
