import { fileURLToPath } from "node:url";

/** The folder of the built page. The relative path is the same from here and from the bundle in `server/dist`. */
export const builtPage = fileURLToPath(new URL("../../web/dist", import.meta.url));
