import { type ComponentType, createElement, lazy, useState } from "react";

/** A component whose code is loaded separately: see {@link loadedAhead}. */
export type LoadedAhead<Props> = ComponentType<Props> & {
  /** Preloads the code. Never throws: a failed load is tried again when the component is rendered. */
  load(): Promise<void>;
};

/**
 * Creates a component whose code is not part of the first load. If the code has been preloaded, the component renders
 * immediately and nothing moves. Otherwise it suspends.
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
    // Choose the component once for each instance, because switching would lose its state.
    const [Chosen] = useState<ComponentType<Props>>(() => loaded ?? Lazy);
    return createElement(Chosen, props);
  }
  return Object.assign(Part, {
    load: async () => {
      await get().catch(() => undefined);
    },
  });
}
