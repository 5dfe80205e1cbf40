/**
 * Objects that can be called, `model(x)`, and that are asked about properties which they do not have. It knows nothing
 * of what a call or such a property means.
 */

/** What a call of the object runs. */
export const CALL: unique symbol = Symbol('call');
/** What the first assignment to a property runs, where neither the object nor its class has one of that name. */
export const ASSIGN: unique symbol = Symbol('assign');
/** What the value of a property is that neither the object nor its class has. */
export const MISSING: unique symbol = Symbol('missing');

/**
 * The constructor returns a function whose prototype is the class's own, so that fields, methods, `instanceof` and
 * private names work as on any object, and nothing of Function.prototype is in the chain.
 */
export abstract class Callable {
  constructor() {
    const self = (...args: unknown[]): unknown => (self as unknown as Callable)[CALL](args);
    Object.setPrototypeOf(self, new.target.prototype);
    // A function's own `name` and `length` are read-only: without them a class may have fields of these names.
    Reflect.deleteProperty(self, 'name');
    Reflect.deleteProperty(self, 'length');
    // biome-ignore lint/correctness/noConstructorReturn: the class is there to put a function in the object's place
    return self as unknown as this;
  }

  abstract [CALL](args: readonly unknown[]): unknown;
  abstract [ASSIGN](name: string, value: unknown): void;
  abstract [MISSING](name: string): unknown;
}

/**
 * The end of the prototype chain. A proxy there sees only what nothing before it answers, so that properties that
 * exist, methods and calls cost what they cost without it; a proxy in the place of the object would slow all of them
 * down.
 */
const END = new Proxy({} as object, {
  get(target, name, receiver: unknown): unknown {
    if (typeof name === 'symbol' || name in target || typeof receiver !== 'function')
      return Reflect.get(target, name, receiver);
    return (receiver as unknown as Callable)[MISSING](name);
  },
  set(target, name, value: unknown, receiver: unknown): boolean {
    // A prototype is no function: methods that are added to a class later stay what they are.
    if (typeof name === 'symbol' || name in target || typeof receiver !== 'function')
      return Reflect.set(target, name, value, receiver);
    (receiver as unknown as Callable)[ASSIGN](name, value);
    return true;
  },
});
Object.setPrototypeOf(Callable.prototype, END);
