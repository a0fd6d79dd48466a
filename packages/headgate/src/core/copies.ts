/**
 * A process may hold several copies of this package: an application requires it while something that it uses imports it, or
 * bundles hold one each. What must be one for all of them is here.
 */

/**
 * A value that all copies in this process share; the first copy makes it. Other releases find it too: a value of another
 * shape needs another name.
 */
export function processWide<Value extends object>(name: string, make: () => Value): Value {
  const key = Symbol.for(`headgate.${name}`);
  const known = (globalThis as { [key: symbol]: unknown })[key];
  if (known !== undefined) return known as Value;
  // Frozen, because Jest empties what it finds on the global object once a test file is over.
  const made = Object.freeze(make());
  // A hardened runtime has a frozen global object: each copy has its own then.
  if (Object.isExtensible(globalThis)) Object.defineProperty(globalThis, key, { value: made });
  return made;
}

/** Marks an instance of a class, by the name of the class, for `knownAs` of every copy. */
export function markInstance(instance: object, name: string): void {
  Object.defineProperty(instance, Symbol.for(`headgate.${name}`), { value: true });
}

/**
 * The `Symbol.hasInstance` of a class that every copy has: its instances are those that any copy has marked. A class that
 * somebody derives from it is as any other.
 */
export function knownAs(name: string): (this: object, value: unknown) => boolean {
  const mark = Symbol.for(`headgate.${name}`);
  return function (value) {
    if (!Object.hasOwn(this, Symbol.hasInstance))
      return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && mark in value;
  };
}
