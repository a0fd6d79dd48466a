/** Limits how many answers this process streams at the same time, because with more, all of them would be slow. */
export interface StreamPlaces {
  /**
   * @param group the group that takes the place, such as an answer's id, if groups have a maximum
   * @returns a function that frees the place, also if called repeatedly; `undefined` if every place is taken
   */
  take(group?: string): (() => void) | undefined;
}

/** @param mostOfGroup how many places one group may have */
export function createStreamPlaces(most: number, mostOfGroup = most): StreamPlaces {
  let taken = 0;
  const takenBy = new Map<string, number>();

  function count(group: string, change: 1 | -1): void {
    taken += change;
    const ofGroup = (takenBy.get(group) ?? 0) + change;
    if (ofGroup === 0) takenBy.delete(group);
    else takenBy.set(group, ofGroup);
  }

  return {
    take(group = "") {
      if (taken >= most || (takenBy.get(group) ?? 0) >= mostOfGroup) return undefined;
      count(group, 1);
      let isTaken = true;
      return () => {
        if (isTaken) count(group, -1);
        isTaken = false;
      };
    },
  };
}
