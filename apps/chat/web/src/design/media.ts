import { useCallback, useSyncExternalStore } from "react";

/** Whether a media query matches, as it changes. */
export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** Whether there is a keyboard, as far as can be told: on a touch screen one would cover half of the page. */
export function hasKeyboard(): boolean {
  return matchMedia("(pointer: fine)").matches;
}

/** Room for the sidebar beside the thread; the same as the `md:` of the styles. */
export const wide = "(min-width: 48rem)";
