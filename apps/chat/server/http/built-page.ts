import { fileURLToPath } from "node:url";

/** The folder of the built page: as far from `server/dist`, where the bundle is, as from here. */
export const builtPage = fileURLToPath(new URL("../../web/dist", import.meta.url));
