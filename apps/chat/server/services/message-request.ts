import { z } from "zod";
import type { AskedMessage } from "./asked-question.ts";
import { storable } from "./text.ts";

const MOST_MESSAGES = 1_000;
const MOST_PARTS = 500;
const LONGEST_QUESTION = 16_000;
const LONGEST_ANSWER = 64_000;

export const readableId = z
  .string({ error: "should be text" })
  .regex(/^[!-~]{1,128}$/, "should be 1 to 128 visible ASCII characters");

/** Some clients send `""` for a message without an id. */
const messageId = z.union([z.literal("").transform(() => undefined), readableId]).optional();

const modelName = z.string().min(1).max(128);

const nothing = z.null().transform(() => undefined);

/** Checks the length of a list before its items. */
function listOf<Item extends z.ZodType>(item: Item, most: number, what: string) {
  return z
    .array(z.unknown(), { error: `should be a list of ${what}` })
    .max(most, `should have at most ${most} ${what}`)
    .pipe(z.array(item));
}

const message = z
  .looseObject(
    {
      id: messageId,
      role: z.enum(["user", "assistant"], { error: 'should be "user" or "assistant"' }),
      content: z.string({ error: "should be text" }).nullish(),
      parts: listOf(z.unknown(), MOST_PARTS, "parts").nullish(),
    },
    { error: "should be a message: { role, content } or an AI SDK UI message" },
  )
  .transform(({ id, role, content, parts }, context): AskedMessage => {
    const said = parts ? wordsOf(parts, role) : (content ?? "");
    if (typeof said !== "string") {
      context.addIssue({ code: "custom", path: ["parts", ...said.path], message: said.message });
      return z.NEVER;
    }
    const longest = role === "user" ? LONGEST_QUESTION : LONGEST_ANSWER;
    if (said.length > longest) {
      context.addIssue({
        code: "custom",
        path: [parts ? "parts" : "content"],
        message: `should be ${longest} characters at most`,
      });
    }
    return { id, role, text: storable(said) };
  });

interface PartMistake {
  path: (string | number)[];
  message: string;
}

/**
 * Returns the text of a message's parts, or the first mistake. Only one mistake is reported, because reporting ten
 * thousand would be too expensive. From an earlier answer, only the text is taken from the client: the computed results
 * come from the server.
 */
function wordsOf(parts: unknown[], role: "user" | "assistant"): string | PartMistake {
  const words: string[] = [];
  for (const [place, part] of parts.entries()) {
    const { type, text = "" } = (part ?? {}) as { type?: unknown; text?: unknown };
    if (typeof type !== "string") return { path: [place, "type"], message: "should be text" };
    if (type === "text") {
      if (typeof text !== "string") return { path: [place, "text"], message: "should be text" };
      words.push(text);
    } else if (role === "user" && type !== "step-start") {
      return { path: [place], message: "should be text, because only text is answered" };
    }
  }
  return words.join("");
}

/** The body of `POST /chat/message`. Unknown fields are ignored. */
export const messageRequest = z.looseObject(
  {
    messages: listOf(message, MOST_MESSAGES, "messages")
      .superRefine((messages, context) => {
        const last = messages.at(-1);
        if (last === undefined) {
          context.addIssue({ code: "custom", message: "should have at least one message" });
          return;
        }
        const path = [messages.length - 1];
        if (last.role !== "user") {
          context.addIssue({
            code: "custom",
            path,
            message: "should be from the user, because the last message is answered",
          });
          // A message that failed its own check is in this list too, without a text.
        } else if (last.text?.trim() === "") {
          context.addIssue({ code: "custom", path, message: "should not be empty" });
        }
      })
      .transform((messages) => messages as [...AskedMessage[], AskedMessage]),
    conversation_id: z.union([nothing, z.string()], { error: "should be text" }).optional(),
    model: z.union([nothing, modelName], { error: "should be the name of a model" }).optional(),
    replaces: z.union([nothing, readableId], { error: "should be the id of a message" }).optional(),
  },
  { error: "should be an object with messages" },
);

export type AskedRequest = z.output<typeof messageRequest>;
