/**
 * Every module class: what its parameters, buffers and submodules may be replaced by (PyTorch's rule), its arguments by
 * position and by name, and calls with odd arguments, which end in typed errors.
 */
import { expect } from 'chai';
import { ArgumentError, NodegradError, nn, ones, Tensor, tensor, zeros } from '../../lib/index.js';
import { moduleSamples } from '../samples/modules.js';

type Open = Record<string, unknown>;
const open = (module: nn.Module): Open => module as unknown as Open;

/** The members of a module by property, as its own properties show them. */
function membersOf(module: nn.Module): { property: string; kind: 'parameter' | 'buffer' | 'module' }[] {
  return Object.keys(module).flatMap((property): { property: string; kind: 'parameter' | 'buffer' | 'module' }[] => {
    const value = open(module)[property];
    if (value instanceof nn.Parameter) return [{ property, kind: 'parameter' }];
    if (value instanceof nn.Module) return [{ property, kind: 'module' }];
    return value instanceof Tensor ? [{ property, kind: 'buffer' }] : [];
  });
}

describe('members of every module class', () => {
  for (const { name, make } of moduleSamples.values()) {
    // Nothing has listed the members or called the module before: the rule holds from the constructor on.
    const members = membersOf(make());
    if (members.length === 0) continue;
    it(`nn.${name}: ${members.map(({ property }) => property).join(', ')}`, () => {
      for (const { property, kind } of members) {
        const module = make();
        const before = open(module)[property];
        const keys = Object.keys(module.stateDict());
        const wrong: unknown[] = [5, 'x', undefined, [ones([2])], {}, () => 1];
        if (kind !== 'buffer') wrong.push(ones([2]), new nn.Buffer(ones([2])));
        if (kind === 'parameter') wrong.push((before as Tensor).mul(2), new nn.ReLU());
        for (const value of wrong) {
          const fresh = make();
          expect(
            () => {
              open(fresh)[property] = value;
            },
            `${property} = ${String(value)}`,
          ).to.throw(
            ArgumentError,
            new RegExp(
              `expected a (Parameter|tensor|Module) or null for the (parameter|buffer|submodule) "${property}", got`,
            ),
          );
        }
        expect(open(module)[property]).to.equal(before);
        expect(Object.keys(module.stateDict())).to.deep.equal(keys);
        open(module)[property] = null;
        expect(open(module)[property]).to.equal(null);
        if (kind === 'parameter') {
          const other = new nn.Parameter(ones([2]));
          open(module)[property] = other;
          expect(open(module)[property]).to.equal(other);
          expect(module.parameters()).to.include(other);
          expect(Object.keys(module.stateDict())).to.deep.equal(keys);
        }
        if (kind === 'module') {
          const other = new nn.Bilinear(2, 3, 4);
          open(module)[property] = other;
          expect(module.children()).to.include(other);
        }
        if (kind === 'buffer') {
          const other = zeros([2]);
          open(module)[property] = other;
          expect(module.buffers()).to.include(other);
          expect(Object.keys(module.stateDict())).to.deep.equal(keys);
        }
        delete open(module)[property];
        expect(open(module)[property]).to.equal(undefined);
        expect(
          module.namedParameters({ recurse: false }).length +
            module.namedBuffers({ recurse: false }).length +
            module.namedChildren().length,
        ).to.equal(members.length - 1);
        open(module)[property] = 5;
        expect(open(module)[property]).to.equal(5);
      }
    });
  }
});

describe('arguments of every module class', () => {
  for (const { name, make, named } of moduleSamples.values()) {
    if (named === undefined) continue;
    it(`nn.${name} takes them by name`, () => {
      const shapes = (module: nn.Module): unknown => Object.values(module.stateDict()).map((t) => t.shape);
      expect(named()).to.be.instanceOf(nn[name as 'Module']);
      expect(shapes(named())).to.deep.equal(shapes(make()));
    });
  }
});

const odd: [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['a number', () => 3],
  ['NaN', () => Number.NaN],
  ['a bigint', () => 3n],
  ['a string', () => 'x'],
  ['a boolean', () => true],
  ['a symbol', () => Symbol('s')],
  ['an array', () => [1, 2]],
  ['an array of arrays', () => [[1], [2]]],
  ['an empty array', () => []],
  ['an array of tensors', () => [ones([2]), ones([2])]],
  ['an object', () => ({})],
  ['an object of options', () => ({ dim: 1, bogus: 2 })],
  ['a typed array', () => new Float32Array(4)],
  ['a Map', () => new Map()],
  ['a function', () => () => 1],
  ['a module', () => new nn.ReLU()],
  [
    'an int64 tensor',
    () =>
      tensor([
        [1n, 2n],
        [0n, 1n],
      ]),
  ],
  ['a bool tensor', () => tensor([[true, false]])],
  ['a scalar tensor', () => tensor(2)],
  ['a scalar int64 tensor', () => tensor(1n)],
  ['a tensor of 1 dimension', () => ones([4])],
  ['a tensor of 2 dimensions', () => ones([2, 3])],
  ['a tensor of 6 dimensions', () => ones([1, 1, 1, 1, 1, 2])],
  ['an empty tensor', () => zeros([0])],
  ['a float64 tensor', () => ones([3, 4], { dtype: 'float64' })],
  ['a bfloat16 tensor', () => ones([3, 4], { dtype: 'bfloat16' })],
];

/** The error of a call, or null; anything but a typed error is a failure that names the call. */
function typed(what: string, call: () => unknown): NodegradError | null {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof NodegradError) return error;
    throw new Error(`${what}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`, {
      cause: error,
    });
  }
}

/** Calls with the good arguments, of which one is replaced, or some are left out or added. */
function oddCalls(good: readonly unknown[]): [string, unknown[]][] {
  const calls: [string, unknown[]][] = [
    ['nothing', []],
    ['too much', [...good, 7, 8, 9, 'x', null, [1]]],
    ['good and an object', [...good, {}]],
    ['good and a tensor', [...good, ones([2])]],
  ];
  for (const [label, value] of odd) {
    calls.push([label, [value()]]);
    for (let i = 0; i < Math.max(good.length, 1); i++)
      calls.push([`${label} at ${i}`, good.map((own, k) => (k === i ? value() : own))]);
    calls.push([`good and ${label}`, [...good, value()]]);
  }
  return calls;
}

describe('odd calls of every module class', () => {
  for (const { name, make, call } of moduleSamples.values()) {
    it(`nn.${name}`, () => {
      const good = call?.() ?? [];
      if (call !== undefined) make()(...good);
      const problems: string[] = [];
      for (const training of [true, false]) {
        for (const [label, args] of oddCalls(good)) {
          const module = make().train(training);
          try {
            typed(`nn.${name} called with ${label}`, () => module(...args));
          } catch (error) {
            problems.push((error as Error).message);
          }
        }
      }
      expect(problems).to.deep.equal([]);
    });
  }
});

describe('odd arguments of every constructor', () => {
  for (const [name, value] of Object.entries({ ...nn, 'utils.rnn.PackedSequence': nn.utils.rnn.PackedSequence })) {
    if (typeof value !== 'function' || name === 'deepcopy') continue;
    it(`nn.${name}`, () => {
      const Class = value as unknown as new (...args: unknown[]) => unknown;
      const problems: string[] = [];
      const attempt = (label: string, args: unknown[]): void => {
        try {
          typed(`new nn.${name} with ${label}`, () => new Class(...args));
        } catch (error) {
          problems.push((error as Error).message);
        }
      };
      attempt('nothing', []);
      for (const [label, make] of odd) {
        for (let count = 0; count < 5; count++) {
          attempt(`${count} numbers and ${label}`, [...new Array<number>(count).fill(2), make()]);
          attempt(`${label} ${count + 1} times`, new Array<unknown>(count + 1).fill(make()));
        }
      }
      expect(problems).to.deep.equal([]);
    });
  }
});

/** All functions of a namespace and of those in it, by path. */
function functionsOf(path: string, namespace: object): [string, (...args: unknown[]) => unknown][] {
  return Object.entries(namespace).flatMap(([name, value]) => {
    if (typeof value === 'object' && value !== null) return functionsOf(`${path}.${name}`, value as object);
    return typeof value === 'function' && !/^class /.test(Function.prototype.toString.call(value))
      ? [[`${path}.${name}`, value as (...args: unknown[]) => unknown] as const]
      : [];
  }) as [string, (...args: unknown[]) => unknown][];
}

/** Odd arguments after some good ones, and in their places. */
function attempts(good: () => unknown[]): [string, () => unknown[]][] {
  const { length } = good();
  return odd.flatMap(([label, make]) => {
    const out: [string, () => unknown[]][] = [[`${label} three times`, () => [make(), make(), make()]]];
    for (let i = 0; i <= length; i++)
      out.push([
        `${label} at ${i}`,
        () =>
          good()
            .map((own, k) => (k === i ? make() : own))
            .concat(i === length ? [make()] : []),
      ]);
    out.push([`${label} at the end`, () => [...good(), undefined, make()]]);
    return out;
  });
}
function problemsOf(what: string, calls: readonly [string, () => unknown][]): string[] {
  return calls.flatMap(([label, call]) => {
    try {
      typed(`${what} with ${label}`, call);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

describe('odd arguments of nn.init and nn.utils', () => {
  const starts: [string, () => unknown[]][] = [
    ['a parameter', () => [new nn.Parameter(ones([3, 4]))]],
    ['parameters and a number', () => [[new nn.Parameter(ones([3, 4]))], 0.5]],
    ['a module', () => [new nn.Linear(4, 3)]],
    ['a module and a name', () => [new nn.Linear(4, 3), 'weight']],
  ];
  for (const [name, fn] of [...functionsOf('nn.init', nn.init), ...functionsOf('nn.utils', nn.utils)]) {
    it(name, () => {
      const calls = starts.flatMap(([start, make]) =>
        attempts(make).map(([label, args]): [string, () => unknown] => [`${start}, ${label}`, () => fn(...args())]),
      );
      expect(problemsOf(name, [['nothing', () => fn()], ...calls])).to.deep.equal([]);
    });
  }
});

describe('odd arguments of methods of modules', () => {
  // Between files of the library, whose arguments are right.
  const internal =
    /^(deepcopyWith|setMember|registerTensor|ownTensors|ownModules|stateKey|absentBefore|holdModule|childLines|hold|place|list|setList|replace)$/;
  for (const name of ['BatchNorm1d', 'Sequential', 'ModuleList', 'ModuleDict', 'ParameterList', 'ParameterDict']) {
    const { make } = moduleSamples.get(name)!;
    const methods = new Set<string>();
    for (
      let p: object = Object.getPrototypeOf(make()) as object;
      Object.hasOwn(p, 'constructor') && p !== Object.prototype;
      p = Object.getPrototypeOf(p) as object
    )
      for (const key of Object.getOwnPropertyNames(p))
        if (
          typeof Object.getOwnPropertyDescriptor(p, key)?.value === 'function' &&
          key !== 'constructor' &&
          !internal.test(key)
        )
          methods.add(key);
    it(`nn.${name}: ${methods.size} methods`, () => {
      const problems = [...methods].flatMap((method) => {
        const call = (args: unknown[]) => (): unknown => {
          const module = make();
          return (open(module)[method] as (...given: unknown[]) => unknown).apply(module, args);
        };
        const calls = odd.flatMap(([label, value]): [string, () => unknown][] => [
          [label, call([value()])],
          [`a name and ${label}`, call(['x', value()])],
          [`${label} and a module`, call([value(), new nn.ReLU()])],
        ]);
        return problemsOf(`nn.${name}.${method}`, [['nothing', call([])], ...calls]);
      });
      expect(problems).to.deep.equal([]);
    });
  }
});
