/**
 * The modules whose forward is running now, the innermost last, so that messages can name the place in the model. A
 * call of a module costs one push and one pop.
 */
interface Named {
  readonly constructor: { readonly name: string };
  namedModules(): readonly (readonly [string, unknown])[];
}

const running: Named[] = [];

export function enterModule(module: Named): void {
  running.push(module);
}
export function leaveModule(): void {
  running.pop();
}

/** The running module as `UNet.downs.0.conv1`, or null outside of every forward. */
export function modulePath(): string | null {
  if (running.length === 0) return null;
  let path = running[0].constructor.name;
  for (let i = 1; i < running.length; i++) {
    const module = running[i];
    const found = running[i - 1].namedModules().find(([name, candidate]) => candidate === module && name !== '');
    path += `.${found === undefined ? module.constructor.name : found[0]}`;
  }
  return path;
}
