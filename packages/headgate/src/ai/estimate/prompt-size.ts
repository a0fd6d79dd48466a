import { sizeOf, type TextSize } from "./text-tokens.ts";

/** Tokens that a model adds to each message: the role and delimiters. */
const perMessage = 4;
/** Tokens of an image, a sound or a document: the most that large providers count for one image. */
export const perAttachment = 1600;

const attachmentTypes =
  /^(file|image|audio|video|document|reasoning-file|input_(image|audio|file)|image_url)$/;
/** Properties of a message that are not sent to the model. */
const notRead = new Set(["id", "metadata", "providerMetadata", "providerOptions", "state", "createdAt"]);

/**
 * The size of a text, of messages in the form of any SDK, or of anything that is sent as JSON. Each value is visited
 * once, at any depth, even in circular structures.
 */
export function promptSizeOf(prompt: unknown): TextSize {
  let tokens = 0;
  let bytes = 0;
  const add = (size: TextSize) => {
    tokens += size.tokens;
    bytes += size.bytes;
  };
  const seen = new Set<object>();
  const waiting: unknown[] = [prompt];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === "string") add(sizeOf(value));
    else if (typeof value === "number" || typeof value === "boolean") add(sizeOf(String(value)));
    else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value);
      if (isAttachment(value)) add(fixed(perAttachment));
      else open(value, waiting, add);
    }
  }
  return { tokens, bytes };
}

/**
 * Queues the values of an object. Property names count too, except those of messages and their parts, which are not
 * sent.
 */
function open(value: object, waiting: unknown[], add: (size: TextSize) => void): void {
  if (Array.isArray(value)) {
    add(fixed(1));
    for (const item of value) waiting.push(item);
    return;
  }
  // Bytes outside an attachment are counted as they are.
  if (ArrayBuffer.isView(value)) {
    add(fixed(Math.max(perAttachment, value.byteLength / 4)));
    return;
  }
  const isMessage = "role" in value && typeof value.role === "string";
  const isPart = "type" in value && typeof value.type === "string";
  if (isMessage) add(fixed(perMessage));
  for (const [name, item] of Object.entries(value)) {
    if (isMessage || isPart) {
      if (notRead.has(name) || name === "role" || name === "type") continue;
    } else add(fixed(sizeOf(name).tokens + 1));
    waiting.push(item);
  }
}

function isAttachment(value: object): boolean {
  if (!("type" in value) || typeof value.type !== "string" || !attachmentTypes.test(value.type)) return false;
  const { data, mediaType } = value as { data?: unknown; mediaType?: unknown };
  const isText =
    (typeof mediaType === "string" && mediaType.startsWith("text")) ||
    (typeof data === "object" && data !== null && "type" in data && data.type === "text");
  return !isText;
}

/**
 * The size of something that has tokens but no text. Its estimate must not be capped by bytes, so it counts eight bytes
 * per token, which leaves room for corrections.
 */
function fixed(tokens: number): TextSize {
  return { tokens, bytes: 8 * tokens };
}
