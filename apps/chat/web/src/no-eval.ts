/**
 * Loaded before anything else: the page's content policy allows no code made from text, and a library that the chat uses
 * (Zod) would try that once on each load to find out. This is its own setting for such pages, `config({ jitless: true })`,
 * written where it keeps it: importing the function would load the library with the first paint.
 */
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
