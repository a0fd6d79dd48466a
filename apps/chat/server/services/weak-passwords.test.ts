import { describe, expect, test } from "vitest";
import { isWeakPassword } from "./weak-passwords.ts";

describe("a common password", () => {
  test.each([
    "password",
    "Password1",
    "P@ssw0rd",
    "p4ssword!",
    "passwordpassword",
    "12345678",
    "1234567890",
    "87654321",
    "qwertyuiop",
    "Qwerty123!",
    "qwer1234",
    "1q2w3e4r",
    "1qaz2wsx",
    "asdfghjkl",
    "aaaaaaaa",
    "12121212",
    "abcabcabc",
    "iloveyou",
    "letmein1!",
    "welcome2024",
    "Sunshine99",
    "football",
    "11111111",
    "00000000",
    "admin123",
    "changeme!",
    "31415926535",
    "!@#$%^&*",
    "summer2026",
  ])("is %s", (password) => expect(isWeakPassword(password)).toBe(true));

  test.each([
    ["ada.lovelace@example.com", "ada.lovelace@example.com"],
    ["ada.lovelace@example.com", "AdaLovelace1815"],
  ])("of the account %s is %s", (email, password) => {
    expect(isWeakPassword(password, email)).toBe(true);
    expect(isWeakPassword(password, "someone@example.com")).toBe(false);
  });
});

test.each([
  "correct horse battery",
  "tr0ubador&3x",
  "my cat Felix ate 3 fish",
  "passing-clouds-over-leeds",
  "Ünïcødé-gruß",
  "hunter2-of-the-north",
])("%s is not common", (password) => expect(isWeakPassword(password, "ada@example.com")).toBe(false));
