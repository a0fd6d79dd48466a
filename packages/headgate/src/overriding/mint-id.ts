/** Returns a random whole number from 1 up to 2^48 - 1. */
export function mintId(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 2 ** 16) * 2 ** 32 + Math.max(1, low);
}
