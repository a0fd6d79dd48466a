import { withoutComments } from "./declarations.ts";

/** A member of an interface or a class. */
export interface Member {
  readonly comment: string;
  readonly text: string;
}

/** A declaration with members: what stands before the bracket, and what stands within. */
export interface WithMembers {
  readonly head: string;
  readonly members: Member[];
}

/** The width, in characters, beyond which a signature is broken into lines. */
const WIDTH = 84;

/**
 * Takes an interface or a class apart. What is private is left out.
 *
 * @param text as `tsc` writes it: members are indented by four
 */
export function readMembers(text: string): WithMembers {
  const [first = "", ...lines] = text.split("\n");
  const members: { comment: string; text: string }[] = [];
  let comment: string[] = [];
  let isInComment = false;
  for (const line of lines.slice(0, -1)) {
    if (isInComment || /^ {4}\/\*\*/.test(line)) {
      comment.push(line);
      isInComment = !line.includes("*/");
      continue;
    }
    const last = members.at(-1);
    if (/^ {4}[^\s})|&\]]/.test(line)) members.push({ comment: comment.join("\n"), text: line.slice(4) });
    else if (last) last.text += `\n${[...comment, line].map((one) => one.slice(4)).join("\n")}`;
    comment = [];
  }
  return {
    head: first.replace(/\s*\{\s*\}?$/, ""),
    members: members
      .map((one) => ({ comment: one.comment, text: withoutComments(one.text) }))
      .filter((one) => !/^(private |#private)/.test(one.text)),
  };
}

/** Breaks a function's parameters into lines where one line would be too long. */
export function breakParameters(signature: string): string {
  const [first = ""] = signature.split("\n");
  if (first.length <= WIDTH) return signature;
  const opening = parameterList(signature);
  if (opening === undefined) return signature;
  const parts: string[] = [];
  let depth = 0;
  let from = opening + 1;
  for (let at = opening; at < signature.length; at += 1) {
    const sign = signature.charAt(at);
    if (sign === "=" && signature[at + 1] === ">") at += 1;
    else if ("([{<".includes(sign)) depth += 1;
    else if (")]}>".includes(sign)) depth -= 1;
    const isEnd = depth === 0;
    if (!isEnd && !(depth === 1 && sign === ",")) continue;
    const part = signature.slice(from, at).trim();
    if (part) parts.push(`    ${part},`);
    from = at + 1;
    if (isEnd) return `${signature.slice(0, opening + 1)}\n${parts.join("\n")}\n${signature.slice(at)}`;
  }
  return signature;
}

/** Where the parameters begin: the first round bracket outside of the type parameters. */
function parameterList(signature: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < signature.length; at += 1) {
    if (signature.startsWith("=>", at)) at += 1;
    else if (signature[at] === "<") depth += 1;
    else if (signature[at] === ">") depth -= 1;
    else if (signature[at] === "(" && depth === 0) return at;
  }
  return undefined;
}
