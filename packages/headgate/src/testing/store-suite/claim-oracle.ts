import type { ClaimChange } from "../../core/claim.ts";

interface Claiming {
  readonly rid: string;
  readonly fingerprint: string;
  readonly result: string;
  readonly leaseMs: number;
}

/** One admitted attempt, and everything that it has reported since. */
interface Attempt extends Claiming {
  readonly beats: number[];
  end: { readonly state: ClaimChange["state"]; readonly result: string; readonly at: number } | undefined;
}

const day = 86_400_000;

/** The meaning of claims, computed from the whole history of each id: slow, but easy to read. */
export class ClaimOracle {
  /** For each id, the attempts that one charge has paid for, the oldest first. */
  readonly #paid = new Map<string, Attempt[]>();

  readonly #fingerprints = new Map<string, string>();

  /** @returns the required answer to a request with the id, if no limit refuses it. */
  meet(id: string, { fingerprint }: Claiming, now: number): string {
    const attempts = this.#attempts(id, now);
    const last = attempts.at(-1);
    if (last === undefined) return "attempt 1";
    if (last.fingerprint !== fingerprint) return "conflict";
    if (last.end?.state === "done") return `done ${last.end.result}`.trim();
    if (this.#isLive(last, now)) return `running ${last.result}`.trim();
    return attempts.length < 3 ? `attempt ${attempts.length + 1}` : "attempt 1";
  }

  begin(id: string, claim: Claiming, now: number): void {
    this.#fingerprints.set(claim.rid, claim.fingerprint);
    const paid = this.#attempts(id, now);
    const before = paid.length < 3 ? paid : [];
    this.#paid.set(id, [...before, { ...claim, beats: [now], end: undefined }]);
  }

  /** @param raises whether it may claim an id that nothing is known of. */
  become(
    id: string,
    { rid, leaseMs, raises }: { readonly rid: string; readonly leaseMs: number; readonly raises: boolean },
    state: ClaimChange["state"],
    result: string,
    now: number,
  ): void {
    const attempts = this.#attempts(id, now);
    const last = attempts.at(-1);
    if (last === undefined && (state === "done" || (state === "running" && raises))) {
      // No other request has claimed the id since, so it belongs to this one.
      const claim = { rid, fingerprint: this.#fingerprints.get(rid) ?? "body", result, leaseMs };
      const end = state === "done" ? { state, result, at: now } : undefined;
      this.#paid.set(id, [{ ...claim, beats: [now], end }]);
      return;
    }
    if (last?.rid !== rid || last.end?.state === "done") return;
    if (state === "running") {
      last.beats.push(now);
      Object.assign(last, { result });
      return;
    }
    last.end = { state, result, at: now };
    if (state !== "nothing") return;
    attempts.pop();
    // The next attempt need not pay again for what the first attempt paid: it follows the earlier attempts as if this
    // attempt had not existed.
    const [first] = attempts;
    if (first === undefined) this.#paid.delete(id);
    else attempts[attempts.length - 1] = { ...(attempts.at(-1) as Attempt), ...silentSince(last, now) };
  }

  #attempts(id: string, now: number): Attempt[] {
    const attempts = this.#paid.get(id) ?? [];
    const last = attempts.at(-1);
    if (last !== undefined && this.#overAt(last) <= now) this.#paid.delete(id);
    return this.#paid.get(id) ?? [];
  }

  #isLive(attempt: Attempt, now: number): boolean {
    return now < this.#silentAt(attempt);
  }

  #silentAt({ beats, leaseMs, end }: Attempt): number {
    const silent = Math.max(...beats) + leaseMs;
    return end === undefined ? silent : Math.min(silent, end.at);
  }

  #overAt(attempt: Attempt): number {
    return day + (attempt.end?.state === "done" ? attempt.end.at : this.#silentAt(attempt));
  }
}

/** Returns the fields of an attempt whose owner is silent from `now` on, because it refunded its request. */
function silentSince({ rid, fingerprint, result, beats, leaseMs }: Attempt, now: number) {
  return { rid, fingerprint, result, beats, leaseMs, end: { state: "unfinished" as const, result, at: now } };
}
