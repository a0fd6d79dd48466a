import { type ComponentType, createElement, lazy, useState } from "react";

/** A component whose code comes by itself: see {@link loadedAhead}. */
export type LoadedAhead<Props> = ComponentType<Props> & {
  /** Has the code loaded. Never throws: what cannot be loaded now is tried once more when it is drawn. */
  load(): Promise<void>;
};

/**
 * A part of the page whose code is no part of the first load. Where it has been loaded by the time it is drawn, it is there
 * at once and nothing moves; else it suspends.
 */
export function loadedAhead<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): LoadedAhead<Props> {
  let loaded: ComponentType<Props> | null = null;
  const get = async () => {
    loaded ??= await load();
    return loaded;
  };
  const Lazy = lazy(async () => ({ default: await get() })) as unknown as ComponentType<Props>;

  function Part(props: Props) {
    // Chosen once for each place, since another component there would lose its state.
    const [Chosen] = useState<ComponentType<Props>>(() => loaded ?? Lazy);
    return createElement(Chosen, props);
  }
  return Object.assign(Part, {
    load: async () => {
      await get().catch(() => undefined);
    },
  });
}
