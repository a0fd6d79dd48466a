import { z } from "zod";
import type { AskedMessage } from "./turns.ts";

const MOST_MESSAGES = 1_000;
const LONGEST_QUESTION = 16_000;
const LONGEST_ANSWER = 64_000;

const readableId = z
  .string({ error: "should be text" })
  .regex(/^[!-~]{1,128}$/, "should be 1 to 128 visible ASCII characters");

/** An id of `""` is what some clients send for none. */
const messageId = z.union([z.literal("").transform(() => undefined), readableId]).optional();

const nothing = z.null().transform(() => undefined);

const part = z.looseObject({
  type: z.string({ error: "should be text" }),
  text: z.string({ error: "should be text" }).optional(),
});

const message = z
  .looseObject(
    {
      id: messageId,
      role: z.enum(["user", "assistant"], { error: 'should be "user" or "assistant"' }),
      content: z.string({ error: "should be text" }).nullish(),
      parts: z.array(part, { error: "should be a list of parts" }).nullish(),
    },
    { error: "should be a message: { role, content } or an AI SDK UI message" },
  )
  .transform(({ id, role, content, parts }, context): AskedMessage => {
    if (parts && role === "user") {
      parts.forEach(({ type }, place) => {
        if (type === "text" || type === "step-start") return;
        context.addIssue({
          code: "custom",
          path: ["parts", place],
          message: "should be text, the only kind answered",
        });
      });
    }
    // What an earlier answer computed is the server's to say: only its words are taken from a client.
    const said = parts
      ? parts.map(({ type, text }) => (type === "text" ? (text ?? "") : "")).join("")
      : (content ?? "");
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

/** The body of `POST /chat/message`. Fields that it does not know are left alone. */
export const messageRequest = z.looseObject(
  {
    messages: z
      .array(message, { error: "should be a list of messages" })
      .min(1, "should hold at least one message")
      .max(MOST_MESSAGES, `should hold ${MOST_MESSAGES} messages at most`)
      .superRefine((messages, context) => {
        const last = messages.at(-1);
        if (last === undefined) return;
        const path = [messages.length - 1];
        if (last.role !== "user") {
          context.addIssue({
            code: "custom",
            path,
            message: "should be from the user: it is the one answered",
          });
        } else if (last.text.trim() === "") {
          context.addIssue({ code: "custom", path, message: "should not be empty" });
        }
      })
      .transform((messages) => messages as [...AskedMessage[], AskedMessage]),
    conversation_id: z.union([nothing, z.string()], { error: "should be text" }).optional(),
    replaces: z.union([nothing, readableId], { error: "should be the id of a message" }).optional(),
  },
  { error: "should be an object with messages" },
);

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
export function storable(text: string): string {
  return text.replaceAll("\u0000", "").replace(/\p{Surrogate}/gu, "\uFFFD");
}
