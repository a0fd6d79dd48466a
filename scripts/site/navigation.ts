/** A part of the navigation, and the pages of `docs/` that it holds, in this order. */
interface Group {
  readonly title: string;
  readonly pages: readonly (Listed | RegExp)[];
}

interface Listed {
  /** The file in `docs/`, without its ending. It need not exist yet. */
  readonly page: string;
  readonly label: string;
}

/** A page in the navigation. */
export interface Entry {
  readonly path: string;
  readonly label: string;
}

/** A part of the navigation as it is shown. */
export interface Section {
  readonly title: string;
  readonly entries: Entry[];
}

const GROUPS: readonly Group[] = [
  {
    title: "Start",
    pages: [
      { page: "quick-start", label: "Quick start" },
      { page: "installing", label: "Installing" },
      { page: "concepts", label: "Concepts" },
      { page: "recipes", label: "Recipes" },
    ],
  },
  {
    title: "Guarding",
    pages: [
      { page: "guarding-an-endpoint", label: "An endpoint" },
      { page: "limits", label: "Limits" },
      { page: "choosing-an-algorithm", label: "Choosing an algorithm" },
      { page: "token-budgets", label: "Token budgets and refunds" },
      { page: "ai", label: "A chat's endpoint" },
      { page: "estimating-tokens", label: "Estimating tokens" },
      { page: "provider-limits", label: "A provider's limits" },
      { page: "agents", label: "Agents, tools, jobs" },
      { page: "identity", label: "Who is calling" },
      { page: "caller-address", label: "Whose address it is" },
      { page: "refusals", label: "Refusals" },
      { page: "client", label: "In the browser" },
      { page: "frameworks", label: "Frameworks" },
      { page: "testing-your-own-app", label: "Testing your own app" },
    ],
  },
  {
    title: "Stores",
    pages: [
      { page: "choosing-a-store", label: "Choosing a store" },
      { page: "redis", label: "Redis and Valkey" },
      { page: "postgres", label: "PostgreSQL" },
      { page: "serverless", label: "Serverless and edge" },
      { page: "writing-a-store", label: "Writing a store" },
    ],
  },
  {
    title: "Operating",
    pages: [
      { page: "when-the-store-is-down", label: "When the store is down" },
      { page: "many-containers", label: "In many containers" },
      { page: "operator", label: "The operator's console" },
      { page: "metrics", label: "Metrics" },
      { page: "replay", label: "Replay and plan" },
      { page: "speed", label: "Speed" },
      { page: "chat-service", label: "The chat service" },
      /^operating-/,
    ],
  },
  { title: "Moving over", pages: [{ page: "moving-over", label: "Moving over" }, /^moving-(from|over)[-/]/] },
  { title: "Reference", pages: [{ page: "errors", label: "Errors" }, /^errors[-/]/] },
];

/**
 * Puts pages into the groups of the navigation.
 *
 * @param titles of the files in `docs/`, by their names without ending
 * @throws for pages that are in no group, naming them
 */
export function sections(titles: ReadonlyMap<string, string>): Section[] {
  const left = new Set(titles.keys());
  const shown = GROUPS.map(({ title, pages: wanted }) => ({
    title,
    entries: wanted.flatMap((one) => {
      if (one instanceof RegExp)
        return [...left]
          .filter((page) => one.test(page) && left.delete(page))
          .sort()
          .map((page) => ({ path: `${page}.html`, label: labelOf(titles.get(page) ?? page) }));
      return left.delete(one.page) ? [{ path: `${one.page}.html`, label: one.label }] : [];
    }),
  }));
  if (left.size)
    throw new Error(
      `In no group of the navigation: ${[...left].map((page) => `docs/${page}.md`).join(", ")}. Give each a place in scripts/site/navigation.ts`,
    );
  return shown.filter(({ title, entries }) => entries.length > 0 || title === "Reference");
}

/** Under "Moving over" the name of the package is enough. */
function labelOf(title: string): string {
  return title.replace(/^Moving over from /, "");
}
