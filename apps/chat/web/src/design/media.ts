import { useCallback, useSyncExternalStore } from "react";

/** Returns whether a media query matches, and updates on changes. */
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

/** Whether there is probably a physical keyboard. An on-screen keyboard would cover half of the page. */
export function hasKeyboard(): boolean {
  return matchMedia("(pointer: fine)").matches;
}

/** Matches if the sidebar fits next to the thread. The width is the same as that of `md:` in the styles. */
export const wide = "(min-width: 48rem)";
