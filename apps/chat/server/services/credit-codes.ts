import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "headgate";
import type { Credit, Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { HttpProblem } from "../http/problems.ts";
import { insertCode, lockCode, redeemCode } from "../repositories/credit-codes.ts";
import type { CreditService } from "./credit.ts";

/**
 * Lets accounts add credit. Codes are the only built-in way. A shop could be another way: it takes payments elsewhere,
 * and calls `credit.add` once for each payment.
 */
export interface TopUps {
  /**
   * Adds a code's amount to an account, once.
   *
   * @throws {HttpProblem} 404 for an unknown code, 409 for a used one, 410 for an expired one
   */
  redeem(userId: string, code: string): Promise<Credit>;
}

export interface CreditCodes extends TopUps {
  /**
   * @param record records in the same transaction that the code is issued; if it fails, no code is issued
   * @returns the code: only its hash is stored, so it can be shown only now
   */
  issue(
    amount: Micros,
    validMs: number | undefined,
    record?: (transaction: Database) => Promise<void>,
  ): Promise<string>;
}

export function createCreditCodes(database: Database, clock: Clock, credit: CreditService): CreditCodes {
  const now = () => new Date(clock.now());
  return {
    async issue(amount, validMs, record) {
      const code = newCode();
      const expiresAt = validMs === undefined ? null : new Date(clock.now() + validMs);
      const { currency } = credit;
      await database.transaction(async (transaction) => {
        await insertCode(transaction, { hash: hashOf(code), amount, currency, createdAt: now(), expiresAt });
        await record?.(transaction);
      });
      return code;
    },

    async redeem(userId, text) {
      await database.transaction(async (transaction) => {
        const hash = hashOf(text);
        const code = await lockCode(transaction, hash);
        if (!code) throw unknownCode();
        // A repeated request, for example after a lost response: the amount has already been added.
        if (code.redeemedBy === userId) return;
        if (code.redeemedAt) throw usedCode();
        if (code.expiresAt && code.expiresAt <= now()) throw expiredCode();
        await redeemCode(transaction, hash, userId, now());
        await credit.add(transaction, userId, { kind: "code", amount: code.amount, reference: hash });
      });
      return credit.of(userId);
    },
  };
}

/** Crockford's alphabet, in which letters and digits are not confused. */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** Generates a code of 100 random bits, such as `7K3QD-9WXM2-42PTA-ZB81C`. */
function newCode(): string {
  const letters = [...randomBytes(GROUPS * GROUP_LENGTH)]
    .map((byte) => LETTERS[byte % LETTERS.length])
    .join("");
  return letters.match(new RegExp(`.{${GROUP_LENGTH}}`, "g"))?.join("-") ?? letters;
}

/** Returns the hash of a code, however it is typed: in lower case, with spaces or other dashes, with O for 0. */
function hashOf(code: string): string {
  const read = code
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");
  return createHash("sha256").update(read).digest("hex");
}

function unknownCode(): HttpProblem {
  return new HttpProblem(404, "code_unknown", "There is no such code. Check each letter, then try again.");
}

function usedCode(): HttpProblem {
  return new HttpProblem(409, "code_used", "This code has already been used. Each code works once.");
}

function expiredCode(): HttpProblem {
  return new HttpProblem(410, "code_expired", "This code is no longer valid. Request another code.");
}
