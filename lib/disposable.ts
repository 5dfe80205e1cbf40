/**
 * The symbols of `using` declarations, for users whose TypeScript does not know them (before `lib:
 * ["ESNext.Disposable"]`): the classes that have them name them in the package's declarations. Imported for its types
 * alone; every Node that the package runs on has the symbols.
 */
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
}

export {};
