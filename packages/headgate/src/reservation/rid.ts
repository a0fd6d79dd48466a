let prefix: string | undefined;
let next = 0;

/**
 * Makes a reservation's id: 64 random bits for this process and a number, as 24 hexadecimal digits. The random bits are
 * generated on first use, because some runtimes do not allow random numbers while a module is loaded.
 */
export function mintRid(): string {
  if (prefix === undefined || next > 0xffff_ffff) {
    const bytes = crypto.getRandomValues(new Uint8Array(8));
    prefix = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    next = 0;
  }
  next += 1;
  return prefix + (next - 1).toString(16).padStart(8, "0");
}
