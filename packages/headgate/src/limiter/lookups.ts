import type { Clock } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import type { LayerChoice } from "../core/layer-choice.ts";
import type { LimitSet } from "../core/limit-set.ts";
import type { DefinedLayer } from "../core/policy.ts";
import { reasonOf } from "../core/reason.ts";

/** Finds the limits of callers in layers whose limits depend on the caller. */
export interface Lookups {
  /** Never throws or rejects: if the lookup fails, the error is reported and the layer's default applies. */
  limitsOf<Caller>(
    layer: DefinedLayer<Caller>,
    caller: Caller,
    isUnidentified: boolean,
  ): LimitSet | Promise<LimitSet>;
  fallbackOf<Caller>(layer: DefinedLayer<Caller>): LimitSet;
}

interface LookupsOptions {
  clock: Clock;
  /** How long `plan` may take, ms. */
  lookupMs: number;
  /** Reports a lookup that failed. */
  report: (error: unknown) => void;
  /** Reports an invalid value that a user's function returned. */
  reportMistake: (error: unknown) => void;
}

export function createLookups({ clock, lookupMs, report, reportMistake }: LookupsOptions): Lookups {
  const later = (run: () => void) => clock.after?.(lookupMs, run) ?? afterReal(lookupMs, run);
  /** Layers whose last lookup failed: only the first of several failures in a row is reported. */
  const failing = new Set<string>();

  function failed(layer: string, reason: string, fallbackName: string, cause: unknown): void {
    if (failing.has(layer)) return;
    failing.add(layer);
    const message = `The limits of a caller in layer "${layer}" could not be looked up: ${reason}. ${fallbackName} applies.`;
    report(new HeadgateError("lookup-failed", message, { cause }));
  }

  /**
   * Returns the default limits, and reports the error. An error about an invalid return value is reported unchanged,
   * because it names the valid values.
   */
  function fell<Caller>({ name, choice }: DefinedLayer<Caller>, error: unknown): LimitSet {
    const { fallback, fallbackName } = choice as LayerChoice<Caller>;
    if (error instanceof HeadgateError) {
      reportMistake(new HeadgateError(error.code, `${error.message} ${capital(fallbackName)} applies.`));
    } else {
      const reason = reasonOf(error);
      failed(name, reason, capital(fallbackName), error);
    }
    return fallback;
  }

  function within<Caller>(layer: DefinedLayer<Caller>, looking: Promise<LimitSet>): Promise<LimitSet> {
    const { fallback, fallbackName } = layer.choice as LayerChoice<Caller>;
    return new Promise((resolve) => {
      let over = false;
      const end = (limits: LimitSet) => {
        over = true;
        resolve(limits);
      };
      const stop = later(() => {
        if (over) return;
        failed(layer.name, `plan took longer than ${lookupMs} ms`, capital(fallbackName), undefined);
        end(fallback);
      });
      looking.then(
        (limits) => {
          stop();
          if (over) return;
          failing.delete(layer.name);
          end(limits);
        },
        (error) => {
          stop();
          if (!over) end(fell(layer, error));
        },
      );
    });
  }

  return {
    limitsOf(layer, caller, isUnidentified) {
      const { choose, fallback } = layer.choice as LayerChoice<typeof caller>;
      if (isUnidentified) return fallback;
      try {
        const limits = choose(caller);
        if (limits instanceof Promise) return within(layer, limits);
        if (failing.size > 0) failing.delete(layer.name);
        return limits;
      } catch (error) {
        return fell(layer, error);
      }
    },

    fallbackOf: (layer) => (layer.choice as LayerChoice<never>).fallback,
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function afterReal(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
