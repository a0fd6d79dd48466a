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
    calendar: { type: "string", description: "For a fixed window: day, week, month or year." },
    timeZone: { type: "string", description: "For a calendar window: an IANA name such as Europe/Berlin." },
    from: { const: "first-use" },
    exact: { type: "boolean" },
    name,
  },
};
const limits = {
  description: 'Limits such as "5/minute; 60/hour", or only "blocked" or "unlimited".',
  oneOf: [
    { type: "string", minLength: 1 },
    limit,
    { type: "array", minItems: 1, items: { oneOf: [{ type: "string", minLength: 1 }, limit] } },
  ],
};

/** The JSON Schema (2020-12) of a policy document, for editors and other programs. */
export const policySchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "A Headgate policy",
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
            description: "If code looks up the limits of each caller: the limits of callers without any.",
          },
          units: { ...units, description: "The units that limits looked up by code may count." },
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
