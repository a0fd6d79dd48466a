import { describe, expect, test } from "vitest";
import { ConfigError } from "./config/config-error.ts";
import { loadConfig } from "./config/index.ts";

/** Every variable: its default, a value that changes it, and a value that stops the start. */
const variables: [
  name: string,
  read: (config: ReturnType<typeof loadConfig>) => unknown,
  rows: {
    default: unknown;
    override: [string, unknown][];
    refused: string[];
  },
][] = [
  [
    "RATE_LIMIT_CHAT_PER_MIN",
    (config) => config.limits.chatPerMinute,
    {
      default: "5/minute",
      override: [
        ["10000", "10000/minute"],
        ["10000/minute", "10000/minute"],
        ["3/10 seconds", "3/10 seconds"],
      ],
      refused: [
        "banana",
        "0",
        "-5",
        "5/fortnight",
        "5.5",
        "1e3",
        "1000 tokens/day",
        "2 concurrent",
        "5/minute; 2 concurrent",
      ],
    },
  ],
  [
    "RATE_LIMIT_CHAT_PER_HOUR",
    (config) => config.limits.chatPerHour,
    {
      default: "60/hour",
      override: [
        ["100", "100/hour"],
        ["100/day", "100/day"],
      ],
      refused: ["banana", "0"],
    },
  ],
  [
    "RATE_LIMIT_CHAT_IP_PER_MIN",
    (config) => config.limits.chatPerAddress,
    { default: "30/minute", override: [["40", "40/minute"]], refused: ["banana", "0"] },
  ],
  [
    "RATE_LIMIT_CHAT_TOKENS_PER_DAY",
    (config) => config.limits.chatTokens,
    {
      default: null,
      override: [
        ["100000", "100000 tokens/day"],
        ["20000 tokens/hour; 100000 tokens/day", "20000 tokens/hour; 100000 tokens/day"],
      ],
      refused: ["many", "0", "5/minute", "2 concurrent"],
    },
  ],
  [
    "RATE_LIMIT_CHAT_CONCURRENT",
    (config) => config.limits.chatConcurrent,
    {
      default: "2 concurrent",
      override: [
        ["5", "5 concurrent"],
        ["unlimited", null],
      ],
      refused: ["0", "two", "5/minute", "1000000"],
    },
  ],
  [
    "RATE_LIMIT_CHAT_GLOBAL",
    (config) => config.limits.chatGlobal,
    {
      default: null,
      override: [
        [
          "1000/minute; 5000000 tokens/day; 100 concurrent",
          "1000/minute; 5000000 tokens/day; 100 concurrent",
        ],
      ],
      refused: ["1000", "3 euros/day", "lots"],
    },
  ],
  [
    "RATE_LIMIT_PROVIDER",
    (config) => config.limits.provider,
    {
      default: null,
      override: [["500/minute; 200000 tokens/minute", "500/minute; 200000 tokens/minute"]],
      refused: ["500", "3 euros/day"],
    },
  ],
  [
    "RATE_LIMIT_SIGN_IN_IP_PER_MIN",
    (config) => config.limits.signInPerAddress,
    { default: "10/minute", override: [["3", "3/minute"]], refused: ["often"] },
  ],
  [
    "RATE_LIMIT_BODIES_IP_PER_MIN",
    (config) => config.limits.bodiesPerAddress,
    {
      default: "120/minute",
      override: [["7", "7/minute"]],
      refused: ["many", "5 concurrent", "100 tokens/minute"],
    },
  ],
  ["MAX_STREAMS", (config) => config.maxStreams, { default: 500, override: [["2", 2]], refused: ["0", "x"] }],
  [
    "REQUIRE_ACCOUNT",
    (config) => config.requireAccount,
    { default: false, override: [["on", true]], refused: ["sometimes"] },
  ],
  [
    "SIGN_UP",
    (config) => config.signUp,
    { default: "open", override: [["closed", "closed"]], refused: ["half"] },
  ],
  [
    "RATE_LIMIT_STORAGE_URI",
    (config) => config.limits.storageUri,
    {
      default: "memory://",
      override: [["redis://127.0.0.1:6379", "redis://127.0.0.1:6379"]],
      refused: ["memory"],
    },
  ],
  [
    "TRUST_USER_ID_HEADER",
    (config) => config.userIdHeader,
    {
      default: true,
      override: [
        ["off", false],
        ["false", false],
        ["ON", true],
      ],
      refused: ["maybe"],
    },
  ],
  [
    "PORT",
    (config) => config.port,
    { default: 3000, override: [["8080", 8080]], refused: ["65536", "http", "-1"] },
  ],
  [
    "HOST",
    (config) => config.host,
    { default: "127.0.0.1", override: [["0.0.0.0", "0.0.0.0"]], refused: [] },
  ],
  [
    "LOG_LEVEL",
    (config) => config.logLevel,
    {
      default: null,
      override: [
        ["debug", "debug"],
        ["WARN", "warn"],
      ],
      refused: ["loud"],
    },
  ],
  [
    "PUBLIC_URL",
    (config) => config.publicUrl,
    {
      default: null,
      override: [["https://chat.example.com/", "https://chat.example.com"]],
      refused: ["chat.example.com", "ftp://chat.example.com", "https://chat.example.com/path"],
    },
  ],
  [
    "AUTH_SECRET",
    (config) => config.authSecret,
    { default: null, override: [["x".repeat(32), "x".repeat(32)]], refused: ["x".repeat(31)] },
  ],
  [
    "CREDIT_MONTHLY_ALLOWANCE",
    (config) => config.credit.monthlyAllowance,
    {
      default: 1_000_000,
      override: [
        ["0", 0],
        ["0.10", 100_000],
      ],
      refused: ["-1", "£1", "1e1"],
    },
  ],
  [
    "CREDIT_CURRENCY",
    (config) => config.credit.currency,
    { default: "GBP", override: [["USD", "USD"]], refused: ["pounds", "gbp"] },
  ],
  [
    "CREDIT_EXCHANGE_RATE",
    (config) => config.credit.exchangeRate,
    { default: null, override: [["1", 1_000_000]], refused: ["0", "-0.79", "0.0000001", "1000001", "0,79"] },
  ],
  [
    "ALLOWANCE_TIME_ZONE",
    (config) => config.credit.timeZone,
    {
      default: "UTC",
      override: [["Europe/London", "Europe/London"]],
      refused: ["London time", "Europe/Londn", "GMT plus one"],
    },
  ],
  [
    "MAX_BODY_BYTES",
    (config) => config.bodyLimitBytes,
    { default: 1_048_576, override: [["2048", 2048]], refused: ["1", "1MB"] },
  ],
  [
    "SHUTDOWN_GRACE_SECONDS",
    (config) => config.shutdownGraceMs,
    {
      default: 30_000,
      override: [
        ["0", 0],
        ["5", 5_000],
      ],
      refused: ["soon"],
    },
  ],
];

describe.each(variables)("%s", (name, read, { default: byDefault, override, refused }) => {
  test.each([{}, { [name]: "" }, { [name]: "   " }])(
    "is the default if absent or blank: %j",
    (environment) => {
      expect(read(loadConfig(environment))).toEqual(byDefault);
    },
  );

  test.each(override)("%s is read", (text, value) => {
    expect(read(loadConfig({ [name]: text }))).toEqual(value);
    expect(read(loadConfig({ [name]: ` ${text} ` }))).toEqual(value);
  });

  test.each(refused)("%s prevents the start, with a message that names it", (text) => {
    expect(() => loadConfig({ [name]: text })).toThrow(ConfigError);
    expect(() => loadConfig({ [name]: text })).toThrow(new RegExp(`^${name} .* it should be `));
  });
});

test.each([
  ["postgres://user:pw@db:5432/chat", { kind: "postgres", url: "postgres://user:pw@db:5432/chat" }],
  ["postgresql://db/chat", { kind: "postgres", url: "postgresql://db/chat" }],
  ["pglite://memory", { kind: "memory" }],
  ["pglite:///var/lib/headgate", { kind: "embedded", folder: "/var/lib/headgate" }],
  ["pglite://kept", { kind: "embedded", folder: `${process.cwd()}/kept` }],
  ["", { kind: "embedded", folder: `${process.cwd()}/data` }],
])("DATABASE_URL %s", (text, location) => {
  expect(loadConfig({ DATABASE_URL: text }).database).toEqual(location);
});

test.each(["mysql://db/chat", "data", "pglite://", "postgres://"])("DATABASE_URL %s is refused", (text) => {
  expect(() => loadConfig({ DATABASE_URL: text })).toThrow(/^DATABASE_URL .* it should be /);
});

test.each(["banana", "10.0.0.0/99"])("RATE_LIMIT_TRUST_PROXY %s is refused", (text) => {
  expect(() => loadConfig({ RATE_LIMIT_TRUST_PROXY: text })).toThrow(
    /^RATE_LIMIT_TRUST_PROXY is .* it should be /,
  );
});

test("an exchange rate needs a currency other than that of the prices", () => {
  expect(loadConfig({ CREDIT_EXCHANGE_RATE: "0.79" }).credit).toMatchObject({
    currency: "GBP",
    exchangeRate: 790_000,
  });
  expect(() => loadConfig({ CREDIT_CURRENCY: "USD", CREDIT_EXCHANGE_RATE: "0.79" })).toThrow(
    /^CREDIT_EXCHANGE_RATE is set but CREDIT_CURRENCY is USD, the currency of the prices/,
  );
});

test("the webhook of limits needs an address and a secret", () => {
  const url = "https://example.com/hooks";
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const read = (LIMIT_WEBHOOK_URL: string, LIMIT_WEBHOOK_SECRET: string) =>
    loadConfig({ LIMIT_WEBHOOK_URL, LIMIT_WEBHOOK_SECRET }).limitWebhook;
  expect(read("", "")).toBeNull();
  expect(read("", secret)).toBeNull();
  expect(read(url, secret)).toEqual({ url, secret });
  expect(() => read(url, "")).toThrow(/^LIMIT_WEBHOOK_SECRET is not set but LIMIT_WEBHOOK_URL is/);
  for (const wrong of [
    "example.com",
    "ftp://example.com",
    "https://ann:pw@example.com/",
    "https://:pw@example.com/",
  ])
    expect(() => read(wrong, secret)).toThrow(/^LIMIT_WEBHOOK_URL .* it should be an address/);
  for (const wrong of ["hunter2", "whsec_aHVudGVyMg==", `${secret}A`, `${secret}=`])
    expect(() => read(url, wrong)).toThrow(
      /^LIMIT_WEBHOOK_SECRET [^\n]* it should be 24 to 64 random bytes[^\n]*$/,
    );
});

test("all invalid variables are reported at once", () => {
  const wrong = { PORT: "x", RATE_LIMIT_CHAT_PER_MIN: "banana", CREDIT_CURRENCY: "$" };
  expect(() => loadConfig(wrong)).toThrow(
    expect.objectContaining({ sentences: expect.objectContaining({ length: 3 }) }),
  );
});

test.each(["DATABASE_URL", "AUTH_SECRET", "RATE_LIMIT_STORAGE_URI", "LIMIT_WEBHOOK_SECRET"])(
  "the value of %s is never repeated",
  (name) => {
    expect(() => loadConfig({ [name]: "hunter2:secret" })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  },
);
