/**
 * The parameters, buffers and submodules of one module. Each is an accessor property of the module, so that every
 * assignment to it meets PyTorch's rule (torch.nn.Module.__setattr__); the order of the properties is the order of the
 * members. It knows modules only as objects that can be called.
 */
import { ArgumentError, describe, fail } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { Callable } from './callable.js';
import { Buffer, Parameter } from './parameter.js';

/** Where a container has its members: a symbol, so that no property of a user's is in its way. */
export const HELD: unique symbol = Symbol('held');

export type MemberKind = 'parameter' | 'buffer' | 'module';
export interface Member {
  kind: MemberKind;
  /** null keeps the place of a member that is not there. */
  value: Tensor | Callable | null;
  /** Whether state dicts have it; of buffers. */
  persistent: boolean;
  /** The key in state dicts, where the class does not name it. */
  key: string | null;
}

const LEGAL: Readonly<Record<MemberKind, string>> = {
  parameter: 'a Parameter or null',
  buffer: 'a tensor or null',
  module: 'a Module or null',
};
const LABEL: Readonly<Record<MemberKind, string>> = {
  parameter: 'the parameter',
  buffer: 'the buffer',
  module: 'the submodule',
};

export class Members {
  readonly #owner: Callable;
  readonly #takesIn: ((name: string, module: Callable) => void) | null;
  readonly #byName = new Map<string, Member>();

  /** @param takesIn where modules go that class fields bring, in place of a property; of containers. */
  constructor(owner: Callable, takesIn: ((name: string, module: Callable) => void) | null) {
    this.#owner = owner;
    this.#takesIn = takesIn;
  }

  /** The member of a name, once `scan` has seen all properties. */
  get(name: string): Member | undefined {
    return this.#byName.get(name);
  }
  /** All members, in the order of the properties. */
  list(): [string, Member][] {
    this.scan();
    const out: [string, Member][] = [];
    for (const name of Object.keys(this.#owner)) {
      const member = this.#byName.get(name);
      if (member !== undefined) out.push([name, member]);
    }
    return out;
  }

  /** Makes a property a member, whatever it was before. */
  register(name: string, member: Member): void {
    this.#byName.set(name, member);
    Object.defineProperty(this.#owner, name, {
      get: () => member.value,
      set: (value: unknown) => {
        this.assign(name, value);
      },
      enumerable: true,
      configurable: true,
    });
  }

  /**
   * `owner[name] = value` by PyTorch's rule, for a property that is a member or is not there. Throws ArgumentError for
   * what may not take a member's place.
   */
  assign(name: string, value: unknown): void {
    const member = Object.hasOwn(this.#owner, name) ? this.#byName.get(name) : undefined;
    const kind = member?.kind;
    if (value instanceof Parameter) this.#put(name, 'parameter', value, true);
    else if (value instanceof Callable && kind !== 'parameter') this.#put(name, 'module', value, true);
    else if (value instanceof Buffer && kind !== 'parameter' && kind !== 'module')
      this.#put(name, 'buffer', value, value.persistent);
    else if (member === undefined) {
      this.#byName.delete(name);
      Object.defineProperty(this.#owner, name, { value, writable: true, enumerable: true, configurable: true });
    } else if (value === null || (kind === 'buffer' && value instanceof Tensor)) member.value = value;
    else
      fail(
        ArgumentError,
        this.#owner.constructor.name,
        `${LEGAL[member.kind]} for ${LABEL[member.kind]} ${JSON.stringify(name)}`,
        describe(value),
      );
  }
  #put(name: string, kind: MemberKind, value: Tensor | Callable, persistent: boolean): void {
    const member = Object.hasOwn(this.#owner, name) ? this.#byName.get(name) : undefined;
    if (member === undefined) this.register(name, { kind, value, persistent, key: null });
    else Object.assign(member, { kind, value, persistent });
  }

  /**
   * Finds members that no setter saw: class fields are defined, not assigned, and a plain property that is there
   * already takes what is assigned to it. Forgets members that were deleted or redefined.
   */
  scan(): void {
    for (const name of Object.keys(this.#owner)) this.look(name);
    for (const name of this.#byName.keys()) if (!Object.hasOwn(this.#owner, name)) this.#byName.delete(name);
  }
  /** The same for the property of one name. */
  look(name: string): void {
    if (!Object.hasOwn(this.#owner, name)) {
      this.#byName.delete(name);
      return;
    }
    const value = (this.#owner as unknown as Record<string, unknown>)[name];
    if (this.#byName.get(name)?.value === value) return;
    this.#byName.delete(name);
    // A module is asked for first: `instanceof Parameter` would go through the proxy at the end of its chain.
    if (value instanceof Callable) {
      if (this.#takesIn === null) this.register(name, { kind: 'module', value, persistent: true, key: null });
      else {
        Reflect.deleteProperty(this.#owner, name);
        this.#takesIn(name, value);
      }
    } else if (value instanceof Parameter)
      this.register(name, { kind: 'parameter', value, persistent: true, key: null });
    else if (value instanceof Buffer)
      this.register(name, { kind: 'buffer', value, persistent: value.persistent, key: null });
  }
}
