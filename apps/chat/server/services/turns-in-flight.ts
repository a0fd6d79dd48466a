export interface TurnInFlight {
  /** Aborts when the service stops and its grace period is over. The turn must then save its partial answer. */
  signal: AbortSignal;
  /** Call this when the turn has ended and no work is left. Calling it again changes nothing. */
  leave(): void;
}

/** The turns in flight, so that a stopping service can let them end. */
export interface TurnsInFlight {
  readonly count: number;
  /** Whether the service has begun to stop, so that no new turn should begin. */
  readonly isStopping: boolean;
  enter(): TurnInFlight;
  /** Waits until every turn has ended. Once the grace period is over, it aborts those that are still in flight. */
  stop(graceMs: number): Promise<void>;
}

export function createTurnsInFlight(): TurnsInFlight {
  const turns = new Set<TurnInFlight>();
  const grace = new AbortController();
  const { signal } = grace;
  let isStopping = false;
  let tellEmpty = () => {};

  return {
    get count() {
      return turns.size;
    },
    get isStopping() {
      return isStopping;
    },
    enter() {
      const turn: TurnInFlight = {
        signal,
        leave() {
          turns.delete(turn);
          if (turns.size === 0) tellEmpty();
        },
      };
      turns.add(turn);
      return turn;
    },
    async stop(graceMs) {
      isStopping = true;
      if (turns.size === 0) return;
      const timer = setTimeout(() => grace.abort(), graceMs);
      await new Promise<void>((resolve) => {
        tellEmpty = resolve;
      });
      clearTimeout(timer);
    },
  };
}
