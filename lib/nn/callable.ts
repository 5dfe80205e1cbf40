/** Objects that can be called: `model(x)`. It knows nothing of what a call does. */

/** What a call of the object runs. */
export const CALL: unique symbol = Symbol('call');

/**
 * The constructor returns a function whose prototype is the class's own, so that fields, methods, `instanceof` and private names
 * work as on any object, and nothing of Function.prototype is in the chain.
 */
export abstract class Callable {
  constructor() {
    const self = (...args: unknown[]): unknown => (self as unknown as Callable)[CALL](args);
    Object.setPrototypeOf(self, new.target.prototype);
    // A function's own `name` and `length` are read-only: without them a class may have fields of these names.
    Reflect.deleteProperty(self, 'name');
    Reflect.deleteProperty(self, 'length');
    // biome-ignore lint/correctness/noConstructorReturn: the function takes the object's place, which is the point of this class
    return self as unknown as this;
  }

  abstract [CALL](args: readonly unknown[]): unknown;
}
