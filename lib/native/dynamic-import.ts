/**
 * `import()` of what is named at run time. It is a file of its own in the package too: V8 knows only for code that
 * Node's loader compiled what an `import()` in it refers to, and the library may be run from its code cache.
 */
export const importModule = (specifier: string): Promise<unknown> => import(specifier);
