import { createContext, type RefObject, useContext } from "react";

/**
 * Where menus are drawn: inside of the landmark that their button is in, so that whoever goes by landmarks finds them
 * there and not at the end of the document.
 */
export const PortalContainer = createContext<RefObject<HTMLElement | null> | undefined>(undefined);

export function usePortalContainer() {
  return useContext(PortalContainer);
}
