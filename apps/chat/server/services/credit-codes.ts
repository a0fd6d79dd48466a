import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "headgate";
import type { Credit, Micros } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { HttpProblem } from "../http/problems.ts";
import { insertCode, lockCode, redeemCode } from "../repositories/credit-codes.ts";
import type { CreditService } from "./credit.ts";

/**
 * How an account gets more credit by itself. Codes are the one way that the service brings along; a shop's would be
 * another: it takes the money elsewhere, and calls `credit.add` once for each payment.
 */
export interface TopUps {
  /**
   * Adds what a code is worth to an account, once.
   *
   * @throws {HttpProblem} 404 for no code, 409 for one that was used, 410 for one that is over
   */
  redeem(userId: string, code: string): Promise<Credit>;
}

export interface CreditCodes extends TopUps {
  /** @returns the code: it is kept as a hash, and can be shown only now */
  issue(amount: Micros, validMs: number | undefined): Promise<string>;
}

export function createCreditCodes(database: Database, clock: Clock, credit: CreditService): CreditCodes {
  const now = () => new Date(clock.now());
  return {
    async issue(amount, validMs) {
      const code = newCode();
      const expiresAt = validMs === undefined ? null : new Date(clock.now() + validMs);
      const { currency } = credit;
      await insertCode(database, { hash: hashOf(code), amount, currency, createdAt: now(), expiresAt });
      return code;
    },

    async redeem(userId, text) {
      await database.transaction(async (transaction) => {
        const hash = hashOf(text);
        const code = await lockCode(transaction, hash);
        if (!code) throw unknownCode();
        // Sent twice, such as by a page that did not hear the answer: it is added once.
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

/** Crockford's: nobody confuses its letters and digits. */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** 100 random bits, such as `7K3QD-9WXM2-42PTA-ZB81C`. */
function newCode(): string {
  const letters = [...randomBytes(GROUPS * GROUP_LENGTH)]
    .map((byte) => LETTERS[byte % LETTERS.length])
    .join("");
  return letters.match(new RegExp(`.{${GROUP_LENGTH}}`, "g"))?.join("-") ?? letters;
}

/** Whatever a person makes of it: lower case, spaces, other dashes, O for 0. */
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
  return new HttpProblem(409, "code_used", "This code has been used already. Each works once.");
}

function expiredCode(): HttpProblem {
  return new HttpProblem(410, "code_expired", "This code is no longer valid. Request another one.");
}
