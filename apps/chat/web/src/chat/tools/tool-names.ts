interface ToolWords {
  running: string;
  done: string;
  failed: string;
}

const known: Record<string, string> = {
  take_home: "take-home pay",
  compare_salaries: "the comparison",
  household: "take-home pay together",
  salary_table: "the table of salaries",
  salary_for_take_home: "the salary",
};

/** Describes what a tool does. An unknown tool is named. */
export function toolWords(name: string): ToolWords {
  const thing = known[name];
  if (thing !== undefined) {
    return {
      running: `Working out ${thing}`,
      done: `Worked out ${thing}`,
      failed: `Could not work out ${thing}`,
    };
  }
  if (name === "tax_rates") {
    return {
      running: "Looking up the rates",
      done: "Looked up the rates",
      failed: "Could not look up the rates",
    };
  }
  const words = name.replaceAll(/[_-]+/g, " ").trim() || "a tool";
  return { running: `Using ${words}`, done: `Used ${words}`, failed: `${words} did not work` };
}

/** Formats `taxYear` and `tax_year` as `Tax year`. */
export function fieldWords(key: string): string {
  const words = key
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[_-]+/g, " ")
    .toLowerCase()
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
