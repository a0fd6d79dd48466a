export { type ObserveOptions, observe } from "./observe.ts";
