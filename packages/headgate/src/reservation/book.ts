import type { ClaimEnd } from "../core/admission.ts";
import type { Claim, ClaimChange } from "../core/claim.ts";
import { type Cost, spentOf } from "../core/cost.ts";
import type { Shown } from "../core/decision.ts";
import type { Ledger, Question, Ruling, Unsettled } from "../core/ruling.ts";
import type { Adjustment, Charge, Hold, Outcome } from "../core/store.ts";
import { Part, type Totals } from "./part.ts";

/** What a reservation needs from its limiter. */
export interface ReservationServices {
  now(): number;
  report(error: unknown): void;
  /** The units that costs may name. */
  readonly units: ReadonlySet<string>;
  /** Decides an extension. */
  decide(question: Question): Ruling | Promise<Ruling>;
  /** The reservation holds something from now on and needs a heartbeat. */
  holds(book: Book, owner: WeakRef<Owner>): void;
  /** The reservation has ended and holds nothing. */
  released(book: Book): void;
  /** The store knows the end of a reservation that this process admitted by itself. */
  sent?(book: Book): void;
  /** The ledger has applied a new use, or the end. Absent: no observer. */
  settled?(book: Book, adjustments: readonly Adjustment[], outcome: Outcome): void;
  /** The reservation ended with a reported use that changes nothing in the ledger. Absent: no observer. */
  settledLocally?(book: Book): void;
  /** The reservation was asked to hold more. Absent: no observer. */
  extended?(book: Book, cost: Cost, ruling: Ruling): void;
  mintRid(): string;
}

/** The object that reports and ends a reservation. */
export interface Owner {
  /** Shows new readings of the ledger. */
  shows(shown: Shown): void;
  /** The use so far, if a delegate counts it and has not reported it. */
  used?(): Cost | undefined;
}

/** The result of an extension: `ended` if the reservation ended before the extension was admitted. */
export type Extended = Ruling | "ended";

/**
 * The state of an admitted request: what it has used, what it holds, and what each ledger knows of both. Ledgers get
 * totals, so changes that could not be sent while a store was down are included in the next call.
 */
export class Book implements Unsettled {
  readonly question: Question;
  readonly #services: ReservationServices;
  readonly #ruling: Ruling;
  /** The part that receives all totals. */
  #main: Part;
  /** The store's part of a request that was admitted during an outage; absent if the store has the main part. */
  #upstream: Part | undefined;
  /** Extensions that this process granted while the store could not answer. */
  #pieces: Part[] = [];
  /** What the request may use in total before it must be extended. */
  readonly #granted: number[][];
  #used: number[][];
  #stated: Cost = {};
  /** Units whose true use was reported. */
  readonly #reported = new Set<string>();
  #ended = false;
  /** The state of the claim after the end. */
  #claimState: ClaimChange["state"] = "running";
  #result: string | undefined;
  #version = 0;
  #changedAt = 0;
  #seq = 1;
  /** Whether holds may have lapsed in the store, because it could not be reached in time. */
  #raises = false;
  #sending: Promise<void> | undefined;
  #again = false;
  /** The last queued extension or report: they run in order. */
  #extending: Promise<unknown> | undefined;
  /** A weak reference, so that a lost owner can be garbage-collected and noticed. */
  readonly #owner: WeakRef<Owner>;

  /** @param question the same charges as in `ruling`, under the limits of the policy. */
  constructor(ruling: Ruling, question: Question, services: ReservationServices, owner: Owner) {
    this.question = question;
    this.#services = services;
    this.#ruling = ruling;
    this.#owner = new WeakRef(owner);
    const { charges, ledger, outcome, claim } = ruling;
    this.#main = new Part(ledger, ruling.hold?.rid ?? services.mintRid(), charges, claim, outcome.attempt);
    if (ruling.doubtful === this.#main.rid) {
      this.#main.inDoubt = true;
      this.#main.wasLost = true;
    } else this.#main.admitted(charges, outcome, this.#seq);
    this.#used = this.#main.used.map((amounts) => [...amounts]);
    this.#granted = this.#main.used.map((amounts, c) =>
      amounts.map((amount, g) => amount + (this.#main.held[c]?.[g] ?? 0)),
    );
    if (!this.#main.holds) return;
    services.holds(this, this.#owner);
    if (ledger.upstream !== undefined) this.#hold(ledger.upstream);
  }

  /**
   * For a request that this process admitted and that holds something: all of it is sent to the store once it is back.
   */
  #hold(store: Ledger): void {
    const { doubtful } = this.#ruling;
    this.#upstream = new Part(
      store,
      doubtful ?? this.#services.mintRid(),
      this.question.charges,
      this.#main.claim,
      this.#main.attempt,
    );
    // The store may know the reservation, so it must also get an end with nothing used.
    this.#upstream.isAsked = doubtful !== undefined;
    this.#upstream.wasLost = doubtful !== undefined;
    this.#raises = true;
    this.#version += 1;
    this.#main.acknowledgedVersion = this.#version;
    this.#changedAt = this.#services.now();
    store.keep?.(this, false);
  }

  /** The claim of the request's id. */
  get claim(): Claim | undefined {
    return this.#main.claim;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The state of the claim. */
  get claimState(): ClaimChange["state"] {
    return this.#claimState;
  }

  /** The reference to the answer; empty if there is none. */
  get result(): string {
    return this.#result ?? this.claim?.result ?? "";
  }

  /** Whether this process admitted the request by itself, and the store has not acknowledged it yet. */
  get isUnsent(): boolean {
    return this.#upstream !== undefined;
  }

  /** Whether the reservation holds something and needs a heartbeat. */
  get holds(): boolean {
    return !this.#ended && this.#parts().some(({ holds }) => holds);
  }

  /** What the request may use in total, by unit: the smallest amount of all layers. */
  get granted(): Cost {
    return this.#leastOf(this.#granted);
  }

  /** The total use so far, by unit. */
  get used(): Cost {
    return this.#leastOf(this.#used);
  }

  /** The reported use, by unit, including units that no limit of this caller counts. */
  get stated(): Cost {
    return this.#stated;
  }

  #leastOf(all: readonly (readonly number[])[]): Cost {
    const least: Record<string, number> = {};
    for (const [c, amounts] of all.entries()) {
      for (const [g, amount] of amounts.entries()) {
        const unit = unitOf(this.question.charges, c, g);
        least[unit] = Math.min(amount, least[unit] ?? amount);
      }
    }
    return least;
  }

  /** The shortest lease of all holds, ms. */
  get leaseMs(): number {
    return Math.min(...this.question.charges.map(({ limits }) => limits.leaseMs));
  }

  report(used: Cost): void | Promise<void> {
    if (this.#ended) return;
    this.#state(used);
    return this.#changed();
  }

  /**
   * @param used the total use. For a unit that is not named, it is the last report, or else everything that was
   * granted.
   */
  end(used: Cost | "nothing" | undefined, { done = true, result }: ClaimEnd = {}): void | Promise<void> {
    if (this.#ended) return;
    this.#claimState = used === "nothing" ? "nothing" : done ? "done" : "unfinished";
    this.#result = result;
    const { charges } = this.question;
    if (used === "nothing") this.#used = this.#used.map((amounts) => amounts.map(() => 0));
    else {
      this.#used = this.#used.map((amounts, c) =>
        amounts.map((amount, g) => {
          const unit = unitOf(charges, c, g);
          return this.#reported.has(unit) || isPlace(charges, c, g)
            ? amount
            : (this.#granted[c]?.[g] ?? amount);
        }),
      );
      this.#state(used ?? {});
    }
    this.#ended = true;
    this.#services.released(this);
    return this.#changed();
  }

  #state(used: Cost): void {
    const { charges } = this.question;
    for (const unit of Object.keys(used)) this.#reported.add(unit);
    this.#stated = { ...this.#stated, ...used };
    this.#used = this.#used.map((amounts, c) =>
      amounts.map((amount, g) => {
        const unit = unitOf(charges, c, g);
        return Object.hasOwn(used, unit) && !isPlace(charges, c, g) ? spentOf(used, unit) : amount;
      }),
    );
  }

  #changed(): void | Promise<void> {
    this.#version += 1;
    this.#changedAt = this.#services.now();
    return this.sync();
  }

  get #totals(): Totals {
    return { used: this.#used, held: this.#heldAfter(this.#used) };
  }

  /** How much of the grant is still held after this use. */
  #heldAfter(used: readonly (readonly number[])[]): number[][] {
    const { charges } = this.question;
    return this.#granted.map((amounts, c) =>
      amounts.map((amount, g) =>
        isPlace(charges, c, g) ? amount : Math.max(0, amount - (used[c]?.[g] ?? 0)),
      ),
    );
  }

  #parts(): Part[] {
    return this.#upstream === undefined
      ? [this.#main, ...this.#pieces]
      : [this.#main, this.#upstream, ...this.#pieces];
  }

  /** Sends the totals to the ledgers. */
  sync(): void | Promise<void> {
    // Totals without the extension under way would undo it, so wait for it. An end does not wait.
    if (this.#extending === undefined || this.#ended) return this.#sendAll();
    let sending: void | Promise<void>;
    const sent = this.#inLine(
      this.#extending.then(() => {
        sending = this.#sendAll();
      }),
    );
    // The next extension does not wait for the answer: a store that hangs would cost it two time limits.
    return this.#wait(sent.then(() => sending));
  }

  /** One call at a time for each ledger. */
  #sendAll(): void | Promise<void> {
    if (this.#sending !== undefined) {
      this.#again = true;
      return this.#wait(this.#sending);
    }
    const sending: Promise<void>[] = [];
    for (const part of this.#parts()) {
      const answer = this.#send(part);
      if (answer !== undefined) sending.push(answer);
    }
    if (sending.length === 0) return;
    this.#sending = Promise.all(sending).then(async () => {
      this.#sending = undefined;
      if (!this.#again) return;
      this.#again = false;
      await this.#sendAll();
    });
    return this.#wait(this.#sending);
  }

  /** The adjustments that the heartbeat sends, so that nothing lapses. */
  beat(): { part: Part; ledger: Ledger; adjustments: ReturnType<Part["adjustments"]>; version: number }[] {
    if (this.#sending !== undefined || this.#extending !== undefined) return [];
    this.#takeUsed();
    return this.#parts()
      .filter((part) => part.holds || part === this.#upstream)
      .map((part) => ({
        part,
        ledger: part.ledger,
        adjustments: this.#adjustmentsOf(part),
        version: this.#version,
      }));
  }

  /** Reads the use of a running request, to report it with the heartbeat. */
  #takeUsed(): void {
    const used = this.#ended ? undefined : this.#owner.deref()?.used?.();
    if (used === undefined) return;
    this.#state(used);
    this.#version += 1;
    this.#changedAt = this.#services.now();
  }

  #adjustmentsOf(part: Part): ReturnType<Part["adjustments"]> {
    this.#seq += 1;
    const isPiece = this.#pieces.includes(part);
    const totals = isPiece ? { used: part.used, held: part.held } : this.#totals;
    // A reservation that sends its use to the store itself is not included in the reconciliation of local counts.
    const raises = this.#raises || isPiece || (part === this.#main && this.#upstream !== undefined);
    return part.adjustments(totals, this.#seq, this.#ended, raises, this.#claimState, this.#result);
  }

  #send(part: Part): Promise<void> | undefined {
    if (part.acknowledgedVersion === this.#version) return;
    if (this.#isOver()) {
      part.acknowledgedVersion = this.#version;
      return;
    }
    const isPiece = this.#pieces.includes(part);
    if (isPiece && !this.#ended) {
      part.acknowledgedVersion = this.#version;
      return;
    }
    if (!isPiece && part !== this.#upstream && !part.differs(this.#totals) && !this.#mustEnd(part)) {
      part.acknowledgedVersion = this.#version;
      if (this.#ended && part === this.#main && Object.keys(this.#stated).length > 0)
        this.#services.settledLocally?.(this);
      return;
    }
    const isUnclaimed = part.claim === undefined || this.#claimState === "nothing";
    if (part === this.#upstream && this.#ended && !part.isAsked && isNothing(this.#used) && isUnclaimed) {
      // It was admitted and ended with nothing used, while the store could not be reached.
      this.#moveUpstream(part);
      part.acknowledgedVersion = this.#version;
      return;
    }
    const version = this.#version;
    const adjustments = this.#adjustmentsOf(part);
    part.isAsked = true;
    try {
      const answer = part.ledger.adjust(adjustments, this.#services.now());
      if (!(answer instanceof Promise)) {
        this.acknowledged(part, adjustments, version, answer);
        return;
      }
      return answer.then(
        (outcome) => this.acknowledged(part, adjustments, version, outcome),
        (error) => this.failed(part, error),
      );
    } catch (error) {
      this.failed(part, error);
    }
  }

  /** Whether the end must be sent even though no total changed. */
  #mustEnd(part: Part): boolean {
    return this.#ended && (part.holds || this.#extending !== undefined);
  }

  acknowledged(
    part: Part,
    adjustments: ReturnType<Part["adjustments"]>,
    version: number,
    outcome: Outcome,
  ): void {
    const isOutdated = part.isOutdated(adjustments);
    if (!isOutdated) {
      if (part.ledger.upstream === undefined && this.#changesUse(part, adjustments))
        this.#services.settled?.(this, adjustments, outcome);
      part.applied(adjustments, outcome);
    }
    part.acknowledgedVersion = Math.max(part.acknowledgedVersion, version);
    if (part === this.#upstream) this.#moveUpstream(part);
    if (!isOutdated && part === this.#main && part.ledger === this.#ruling.ledger) {
      const { layers, charges } = this.#ruling;
      this.#owner.deref()?.shows({ layers, charges, outcome });
    }
    if (part.ledger.keep !== undefined) this.#raises = this.#upstream !== undefined;
    if (part === this.#main && this.#raises === false) this.#release(this.#pieces.splice(0));
  }

  /** Whether adjustments change the use or end the reservation. Heartbeats usually do neither. */
  #changesUse(part: Part, adjustments: readonly Adjustment[]): boolean {
    return adjustments.some(
      ({ ended, used }, c) => ended || used.some((amount, g) => amount !== (part.used[c]?.[g] ?? 0)),
    );
  }

  /** The store has all of the state now, so this process releases what it held in the meantime. */
  #moveUpstream(part: Part): void {
    const local = this.#main;
    this.#main = part;
    this.#upstream = undefined;
    this.#release([local]);
    if (this.#ended) this.#services.sent?.(this);
  }

  #release(parts: readonly Part[]): void {
    for (const part of parts) {
      this.#seq += 1;
      const nothing = { used: part.used, held: [] };
      try {
        const { claim } = part;
        // This process no longer claims an id that the store has taken over.
        const adjustments = part.adjustments(nothing, this.#seq, true, true, "nothing", claim?.result);
        void part.ledger.adjust(adjustments, this.#services.now());
      } catch (error) {
        this.#services.report(error);
      }
    }
  }

  /** A heartbeat failed, so the hold may lapse. It is sent again once the store is back, before others are admitted. */
  missed(part: Part, error: unknown): void {
    if (!this.#ended) {
      this.#version += 1;
      this.#changedAt = this.#services.now();
    }
    this.failed(part, error);
  }

  failed(part: Part, error: unknown): void {
    part.inDoubt = true;
    if (part.holds || part === this.#upstream) this.#raises = true;
    if (part.ledger.keep === undefined) this.#services.report(error);
    else part.ledger.keep(this, true);
  }

  /** Whether all windows that a change could affect are over, whatever the algorithm. */
  #isOver(): boolean {
    let longest = 0;
    for (const { limits } of this.question.charges)
      for (const { windowMs } of limits.limits) longest = Math.max(longest, windowMs);
    return longest > 0 && this.#services.now() - this.#changedAt >= 2 * longest;
  }

  /** Asks to hold more. Extensions run one at a time, because each asks for a total. */
  extend(cost: Cost): Extended | Promise<Extended> {
    if (this.#extending === undefined) return this.#extend(cost);
    return this.#inLine(this.#extending.then(() => this.#extend(cost)));
  }

  #inLine<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const over = answer.then(
      () => {},
      () => {},
    );
    this.#extending = over;
    void over.then(() => {
      if (this.#extending === over) this.#extending = undefined;
    });
    return answer;
  }

  #extend(cost: Cost): Extended | Promise<Extended> {
    if (this.#ended) return "ended";
    // Totals under way may arrive after the extension. The store then ignores them, so they are sent again.
    if (this.#sending !== undefined) this.#doubt();
    const question = this.#asksFor(cost);
    const answer = this.#services.decide(question);
    if (!(answer instanceof Promise)) return this.#conclude(question, answer, cost);
    return this.#inLine(answer.then((ruling) => this.#conclude(question, ruling, cost)));
  }

  #asksFor(cost: Cost): Question {
    const { layers, charges, policy } = this.question;
    this.#seq += 1;
    const store = this.#upstream ?? this.#main;
    // Use that was not yet sent is still part of the hold in the store.
    const held = this.#heldAfter(store.used);
    const hold: Hold = { rid: store.rid, seq: this.#seq };
    return {
      layers,
      policy,
      hold,
      charges: charges.map((charge, c): Charge => {
        const { groups } = charge.limits;
        const more = groups.map(({ unit }) => (Object.hasOwn(cost, unit) ? spentOf(cost, unit) : 0));
        const { space, key, limits } = charge;
        return {
          space,
          key,
          limits,
          needs: more,
          spends: more.map((amount, g) => (groups[g]?.unit === "requests" ? amount : 0)),
          holds: more.map((amount, g) => (groups[g]?.unit === "requests" ? 0 : amount + (held[c]?.[g] ?? 0))),
          known: [...(store.used[c] ?? [])],
        };
      }),
    };
  }

  #conclude(question: Question, ruling: Ruling, cost: Cost): Extended {
    if (ruling.outcome.refusedFor === "ended") return "ended";
    this.#services.extended?.(this, cost, ruling);
    if (ruling.decidedBy === "outage-policy") {
      if (ruling.outcome.admitted) this.#addPiece(ruling);
      this.#doubt();
    }
    if (!ruling.outcome.admitted) return ruling;
    if (ruling.decidedBy !== "outage-policy") {
      this.#partOf(ruling.ledger).admitted(question.charges, ruling.outcome, question.hold?.seq ?? this.#seq);
    }
    if (this.#ended) {
      void this.sync();
      return "ended";
    }
    for (const [c, { spends, needs }] of question.charges.entries()) {
      for (const [g, amount] of needs.entries()) {
        (this.#granted[c] as number[])[g] = (this.#granted[c]?.[g] ?? 0) + amount;
        (this.#used[c] as number[])[g] = (this.#used[c]?.[g] ?? 0) + (spends[g] ?? 0);
      }
    }
    if (ruling.decidedBy !== "outage-policy") this.#owner.deref()?.shows(ruling);
    this.#services.holds(this, this.#owner);
    return ruling;
  }

  /**
   * The store's part. If this process admitted the request without a hold, its charge is reconciled separately, so the
   * store's part begins with that use.
   */
  #partOf(ledger: Ledger): Part {
    if (this.#main.ledger === ledger) return this.#main;
    if (this.#upstream === undefined) {
      this.#upstream = new Part(ledger, this.#main.rid, this.question.charges);
      for (const [c, amounts] of this.#main.used.entries()) {
        for (const [g, amount] of amounts.entries()) (this.#upstream.used[c] as number[])[g] = amount;
      }
    }
    return this.#upstream;
  }

  /** The store was called and may have applied something without a timely answer, so the totals are sent again. */
  #doubt(): void {
    const store = this.#upstream ?? this.#main;
    store.inDoubt = true;
    this.#version += 1;
    this.#changedAt = this.#services.now();
    store.ledger.keep?.(this, false);
  }

  #addPiece({ ledger, hold, charges, outcome }: Ruling): void {
    if (hold === undefined) return;
    const piece = new Part(ledger, hold.rid, charges);
    piece.admitted(charges, outcome, hold.seq);
    this.#pieces.push(piece);
    this.#raises = true;
    // A charge without a hold is reconciled with the local counts. A piece is not, so send it through the store's part.
    if (ledger.upstream !== undefined && this.#main.ledger === ledger) this.#partOf(ledger.upstream);
  }

  /** Waits at most for the store's time limit. */
  #wait(applying: Promise<unknown>): Promise<void> {
    const { ledger } = this.#upstream ?? this.#main;
    return ledger.patience?.(applying) ?? applying.then(() => {});
  }
}

function unitOf(charges: readonly Charge[], c: number, g: number): string {
  return charges[c]?.limits.groups[g]?.unit ?? "";
}

function isNothing(amounts: readonly (readonly number[])[]): boolean {
  return amounts.every((units) => units.every((amount) => amount === 0));
}

/** Places are held and given back, never used. */
function isPlace(charges: readonly Charge[], c: number, g: number): boolean {
  return charges[c]?.limits.limitsOfGroup[g]?.[0]?.algorithm === "concurrent";
}
