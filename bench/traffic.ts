/** A caller, as the limiters see it. */
export interface Caller {
  readonly user: string;
  readonly ip: string;
}

export interface Limit {
  readonly quota: number;
  readonly windowMs: number;
}

/** Three layers: two for each user, one for each address. */
export interface Limits {
  readonly userPerMinute: Limit;
  readonly userPerHour: Limit;
  readonly ipPerMinute: Limit;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The limits of the product, which every section measures. */
export const limits: Limits = {
  userPerMinute: { quota: 5, windowMs: minuteMs },
  userPerHour: { quota: 60, windowMs: hourMs },
  ipPerMinute: { quota: 30, windowMs: minuteMs },
};

/** The same windows with quotas that nobody reaches, for limiters whose clock cannot be moved. */
export const limitsOutOfReach: Limits = outOfReach(minuteMs, hourMs);

/** Limits that nobody reaches, all with windows of this length. */
export function limitsOver(windowMs: number): Limits {
  return outOfReach(windowMs, windowMs);
}

function outOfReach(shortMs: number, longMs: number): Limits {
  const quota = 1_000_000_000;
  return {
    userPerMinute: { quota, windowMs: shortMs },
    userPerHour: { quota, windowMs: longMs },
    ipPerMinute: { quota, windowMs: shortMs },
  };
}

/** Limits in the form that Headgate takes. */
export function headgateLayers(algorithm = "") {
  return [
    { name: "user", key: ({ user }: Caller) => user, limits: `5/minute ${algorithm}; 60/hour ${algorithm}` },
    { name: "ip", key: ({ ip }: Caller) => ip, limits: `30/minute ${algorithm}` },
  ];
}

const userBytes = "user:12345678".length;
const ipBytes = "198.111.111.111".length;
const callerBytes = userBytes + ipBytes;

/**
 * Callers by number. Their keys can be created again each time, as a server's parser does from the bytes of a request.
 */
export interface Crowd {
  readonly size: number;
  make(index: number): Caller;
}

/** @param size the number of callers, each with its own address */
export function crowdOf(size: number): Crowd {
  const bytes = Buffer.allocUnsafe(size * callerBytes);
  for (let index = 0; index < size; index += 1) {
    bytes.write(userOf(index) + ipOf(index), index * callerBytes, "latin1");
  }
  return {
    size,
    make(index) {
      const from = index * callerBytes;
      return {
        user: bytes.toString("latin1", from, from + userBytes),
        ip: bytes.toString("latin1", from + userBytes, from + callerBytes),
      };
    },
  };
}

export function userOf(index: number): string {
  return `user:${String(index).padStart(8, "0")}`;
}

/** The addresses have the same length, so that callers can be read from one buffer. */
export function ipOf(index: number): string {
  const part = (place: number) => 100 + (Math.floor(index / 150 ** place) % 150);
  return `${198 + Math.floor(index / 150 ** 3)}.${part(2)}.${part(1)}.${part(0)}`;
}

/** Returns the numbers from 0 to `size` in a fixed random order, so that callers do not come in the order of memory. */
export function shuffled(size: number): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, index) => index);
  let state = 0x2545f491;
  for (let index = size - 1; index > 0; index -= 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (index + 1);
    const kept = order[index] as number;
    order[index] = order[other] as number;
    order[other] = kept;
  }
  return order;
}
