import { unending } from "../../stream.ts";

export const GET = unending;
