import { type Limit, type Limits, limits as productsLimits } from "../../traffic.ts";
import type { MemoryContender } from "../contender.ts";
import { slotTable } from "./slot-table.ts";

/** The cost of getting a caller, reading both keys, and counting admissions. */
export const emptyLoop: MemoryContender = {
  open: ({ peersLimits }) => {
    const isAdmitting = peersLimits.userPerMinute.quota > 5;
    return { now: ({ user, ip }) => user.charCodeAt(0) + ip.charCodeAt(0) > 0 === isAdmitting };
  },
};

/**
 * The least that a counter does: a fixed window, which admits twice its quota around its end and never
 * forgets a caller.
 */
export const bareMap: MemoryContender = {
  open({ peersLimits }) {
    const { userPerMinute, userPerHour, ipPerMinute } = peersLimits;
    const minute = fixedWindow(userPerMinute);
    const hour = fixedWindow(userPerHour);
    const address = fixedWindow(ipPerMinute);
    return {
      now({ user, ip }) {
        const now = Date.now();
        return minute(user, now) && hour(user, now) && address(ip, now);
      },
    };
  },
};

function fixedWindow({ quota, windowMs }: Limit): (key: string, now: number) => boolean {
  const counts = new Map<string, { count: number; endsAt: number }>();
  return (key, now) => {
    const counted = counts.get(key);
    if (counted === undefined) {
      counts.set(key, { count: 1, endsAt: now + windowMs });
      return true;
    }
    if (now >= counted.endsAt) {
      counted.count = 1;
      counted.endsAt = now + windowMs;
      return true;
    }
    counted.count += 1;
    return counted.count <= quota;
  };
}

/**
 * The minimum that is exact and all or nothing, with the product's limits: a list of stamps for each key. It never
 * forgets a caller, and reports nothing.
 */
export const slidingLog: MemoryContender = {
  open({ clock }) {
    const { userPerMinute, userPerHour, ipPerMinute } = productsLimits;
    const logOfUser = stamps(userPerHour);
    const logOfAddress = stamps(ipPerMinute);
    return {
      now({ user, ip }) {
        const now = Date.now() + clock.offsetMs;
        const byUser = logOfUser(user, now);
        const byAddress = logOfAddress(ip, now);
        if (byUser.length >= userPerHour.quota || byAddress.length >= ipPerMinute.quota) return false;
        // The stamp that must have left the shorter window.
        const last = byUser[byUser.length - userPerMinute.quota];
        if (last !== undefined && last > now - userPerMinute.windowMs) return false;
        byUser.push(now);
        byAddress.push(now);
        return true;
      },
    };
  },
};

/** Returns a function that returns a key's stamps in the window. */
function stamps({ windowMs }: Limit): (key: string, now: number) => number[] {
  const logs = new Map<string, number[]>();
  return (key, now) => {
    const known = logs.get(key);
    if (known === undefined) {
      const log: number[] = [];
      logs.set(key, log);
      return log;
    }
    while ((known[0] as number) <= now - windowMs) known.shift();
    return known;
  };
}

/** GCRA, which is not exact: one number per key in an array, found by a Map. It never forgets a caller. */
export const gcraInMap: MemoryContender = {
  open: (circumstances) =>
    gcraOver(circumstances.peersLimits, () => {
      const slots = new Map<string, number>();
      return (key) => {
        const known = slots.get(key);
        if (known !== undefined) return known;
        slots.set(key, slots.size);
        return slots.size - 1;
      };
    })(circumstances.callers),
};

/** GCRA with a hash table without strings, in which two keys with the same hash share a quota. */
export const gcraInTable: MemoryContender = {
  open: (circumstances) => gcraOver(circumstances.peersLimits, slotTable)(circumstances.callers),
};

type FindSlot = (key: string) => number;

function gcraOver(limits: Limits, openSlots: (callers: number) => FindSlot) {
  const { userPerMinute, userPerHour, ipPerMinute } = limits;
  return (callers: number) => {
    const minute = gcra(userPerMinute, openSlots(callers), callers);
    const hour = gcra(userPerHour, openSlots(callers), callers);
    const address = gcra(ipPerMinute, openSlots(callers), callers);
    return {
      now({ user, ip }: { user: string; ip: string }) {
        const now = Date.now();
        return minute(user, now) && hour(user, now) && address(ip, now);
      },
    };
  };
}

function gcra({ quota, windowMs }: Limit, slotOf: FindSlot, callers: number) {
  const full = new Float64Array(2 * callers);
  const interval = windowMs / quota;
  return (key: string, now: number) => {
    const slot = slotOf(key);
    const next = Math.max(now, full[slot] as number) + interval;
    if (next - now > windowMs) return false;
    full[slot] = next;
    return true;
  };
}
