/** A doc comment, taken apart. All texts are Markdown. */
export interface DocComment {
  readonly description: string;
  readonly parameters: { readonly name: string; readonly text: string }[];
  /** What `@returns` and `@throws` say, and others of that kind, in their order. */
  readonly tags: { readonly name: string; readonly text: string }[];
}

/** Reads a comment from its `/**` to its end; the empty text has nothing to say. */
export function readComment(comment: string): DocComment {
  const text = comment
    .trim()
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trimEnd())
    .join("\n")
    .trim();
  const [description = "", ...tagged] = text.split(/^(?=@[a-z]+\b)/im);
  const parameters: DocComment["parameters"] = [];
  const tags: DocComment["tags"] = [];
  for (const one of tagged) {
    const [, name = "", rest = ""] = /^@(\w+)\s*([\s\S]*)$/.exec(one) ?? [];
    if (name === "param" || name === "typeParam" || name === "template") {
      const [, parameter = "", told = ""] = /^(\S+)\s*(?:- )?([\s\S]*)$/.exec(rest.trim()) ?? [];
      parameters.push({ name: parameter, text: told.trim() });
    } else tags.push({ name, text: rest.trim() });
  }
  return { description: description.trim(), parameters, tags };
}
