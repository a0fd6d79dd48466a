const name = { type: "string", pattern: "^[a-z0-9._-]+$" };
const units = { type: "array", items: { type: "string", pattern: "^[a-z][a-z0-9_-]*$" } };
const limit = {
  type: "object",
  description: "One limit: a quota of units over a window.",
  required: ["quota", "windowMs"],
  additionalProperties: false,
  properties: {
    quota: { type: "integer", minimum: 1, maximum: 999_999_999_999_999 },
    windowMs: { type: "integer", minimum: 1, description: "In milliseconds." },
    unit: { type: "string", pattern: "^[a-z][a-z0-9_-]*$", default: "requests" },
    algorithm: { enum: ["sliding-window", "token-bucket", "fixed-window", "sliding-counter", "concurrent"] },
    calendar: { type: "string", description: "Of a fixed window: day, week, month or year." },
    timeZone: { type: "string", description: "Of a window of the calendar: Europe/Berlin." },
    from: { const: "first-use" },
    exact: { type: "boolean" },
    name,
  },
};
const limits = {
  description: 'Limits such as "5/minute; 60/hour"; "blocked" or "unlimited", alone.',
  oneOf: [
    { type: "string", minLength: 1 },
    limit,
    { type: "array", minItems: 1, items: { oneOf: [{ type: "string", minLength: 1 }, limit] } },
  ],
};

/** The JSON Schema (2020-12) of a policy document, for editors and other programs. */
export const policySchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "A policy of Headgate",
  type: "object",
  required: ["layers"],
  additionalProperties: false,
  properties: {
    $schema: { type: "string" },
    units: { ...units, description: "Units that costs may name although no limit counts them." },
    layers: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["name"],
        additionalProperties: false,
        properties: {
          name,
          key: { type: "string", description: "The name of the key function; the layer's name by default." },
          limits,
          plans: { type: "object", minProperties: 1, additionalProperties: limits },
          defaultPlan: { type: "string", description: "One of the plans." },
          defaultLimits: {
            ...limits,
            description: "Where code looks up the limits of each caller: those of all others.",
          },
          units: { ...units, description: "What the limits that code looks up may count." },
          outage: {
            oneOf: [
              { enum: ["local", "admit", "refuse"] },
              {
                type: "object",
                required: ["policy"],
                additionalProperties: false,
                properties: {
                  policy: { const: "local" },
                  instances: { type: "integer", minimum: 1, maximum: 1_000_000 },
                },
              },
            ],
          },
        },
        oneOf: [
          { required: ["limits"] },
          { required: ["plans", "defaultPlan"] },
          { required: ["defaultLimits", "units"] },
        ],
      },
    },
  },
} as const;
