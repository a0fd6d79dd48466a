/**
 * Loaded before anything else. The page's content security policy forbids `eval`, but Zod tests for it once on each
 * load. This is Zod's setting `config({ jitless: true })`, written directly to where Zod keeps it, because importing
 * the function would load Zod with the first paint.
 */
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
