/**
 * Must be loaded before all other modules. The page's content security policy forbids `eval`, but Zod tests for it once
 * on each load. This is Zod's setting `config({ jitless: true })`, written directly to the place where Zod stores it,
 * because importing the function would load Zod with the first paint.
 */
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
