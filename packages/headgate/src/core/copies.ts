/**
 * A process may hold several copies of this package: for example, the application requires it and a dependency imports
 * it, or each bundle contains a copy. This module holds what all copies must share.
 */

/**
 * Returns a value that all copies in this process share. The first copy makes it. Copies of other releases share the
 * value too, so a value with a different shape needs a different name.
 */
export function processWide<Value extends object>(name: string, make: () => Value): Value {
  const key = Symbol.for(`headgate.${name}`);
  const known = (globalThis as { [key: symbol]: unknown })[key];
  if (known !== undefined) return known as Value;
  // Frozen, because Jest clears objects on the global object after each test file.
  const made = Object.freeze(make());
  // In a hardened runtime the global object is frozen. Each copy then has its own value.
  if (Object.isExtensible(globalThis)) Object.defineProperty(globalThis, key, { value: made });
  return made;
}

/** Marks an instance with its class name, so that `knownAs` in every copy recognizes it. */
export function markInstance(instance: object, name: string): void {
  Object.defineProperty(instance, Symbol.for(`headgate.${name}`), { value: true });
}

/**
 * The `Symbol.hasInstance` of a class that exists in every copy: an object that any copy has marked is an instance. For
 * derived classes, `instanceof` works as usual.
 */
export function knownAs(name: string): (this: object, value: unknown) => boolean {
  const mark = Symbol.for(`headgate.${name}`);
  return function (value) {
    if (!Object.hasOwn(this, Symbol.hasInstance))
      return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && mark in value;
  };
}
