import { z } from "zod";
import { oneLine, storable } from "./text.ts";

const LONGEST_NAME = 100;
/** The maximum length that mail servers must accept (RFC 5321). */
const LONGEST_EMAIL = 254;
const LONGEST_TOKEN = 2_048;

const text = z.string({ error: "should be text" });
const isStorable = (value: string) => storable(value) === value;
const email = text
  .max(LONGEST_EMAIL, `should be ${LONGEST_EMAIL} characters at most`)
  .refine(isStorable, "should be an e-mail address");
/** better-auth checks the length, and returns an error code that the page recognises. */
const password = text.refine(isStorable, "should contain no NUL and no unpaired surrogates");
const name = text
  .transform(oneLine)
  .pipe(z.string().max(LONGEST_NAME, `should be ${LONGEST_NAME} characters at most`));
const token = text
  .max(LONGEST_TOKEN, `should be ${LONGEST_TOKEN} characters at most`)
  .refine(isStorable, "should be text");

function body<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object(shape, { error: `should be an object with ${Object.keys(shape).join(", ")}` });
}

/** The bodies of the account routes. Other fields are dropped before better-auth sees them. */
export const signInBody = body({ email, password, rememberMe: z.boolean().optional() });
export const signUpBody = body({ email, password, name });
export const changePasswordBody = body({ currentPassword: password, newPassword: password });
export const forgottenBody = body({ email });
export const resetPasswordBody = body({ token, newPassword: password });
export const deleteAccountBody = body({ password });
export const redeemBody = body({ code: text.min(1, "should be a code").max(100, "should be a code") });
export const emptyBody = z.object({}, { error: "should be an object" });
