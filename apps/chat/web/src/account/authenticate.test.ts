import { expect, test } from "vitest";
import { ServiceError } from "../service/failure.ts";
import { authTroubleOf } from "./authenticate.ts";

test("the error for a wrong password does not reveal which field is wrong", () => {
  const trouble = authTroubleOf(new ServiceError(401, { code: "INVALID_EMAIL_OR_PASSWORD" } as object));
  expect(trouble.sentence).toContain("do not match");
  expect(trouble.field).toBeUndefined();
});

test("an address in use is an error of the e-mail field", () => {
  const trouble = authTroubleOf(new ServiceError(422, { code: "USER_ALREADY_EXISTS" } as object));
  expect(trouble).toMatchObject({ field: "email" });
});

test("an unknown code shows what the service says", () => {
  expect(authTroubleOf(new ServiceError(400, { message: "No." } as object)).sentence).toBe("No.");
  expect(authTroubleOf(new ServiceError(403, { detail: "Not from there." })).sentence).toBe(
    "Not from there.",
  );
});

test("internal errors of the service are never shown", () => {
  const trouble = authTroubleOf(new ServiceError(500, { message: "at Object.<anonymous>" } as object));
  expect(trouble.sentence).not.toContain("Object");
});

test("a network failure has its own message", () => {
  expect(authTroubleOf(new TypeError("Failed to fetch")).sentence).toContain("could not be reached");
});
