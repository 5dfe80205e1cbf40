/** Samples of conversions of type and layout. */
import { ArgumentError, DeviceError, type Tensor } from '../../../lib/index.js';
import {
  bfloat16,
  bool,
  byte,
  char,
  clone,
  contiguous,
  detach,
  double,
  float,
  half,
  int,
  long,
  short,
  to,
} from '../../../lib/ops/core/convert.js';
import { make, samples } from '../sample.js';

const shapes = [[2, 3], [], [0, 2]] as const;
const notATensor = 3 as unknown as Tensor;

for (const [fn, call] of Object.entries({ clone, contiguous, double })) {
  samples({
    fn,
    cases: shapes.map((shape) => ({ name: `shape [${shape}]`, inputs: [make(shape)], call: (x) => call(x) })),
    errors: [
      {
        name: 'not a tensor',
        call: () => call(notATensor),
        error: ArgumentError,
        message: new RegExp(`${fn}: expected a tensor`),
      },
    ],
  });
}
for (const [fn, call] of Object.entries({ float, half, bfloat16, long, int, short, char, byte, bool, detach })) {
  samples({
    fn,
    notDifferentiable: 'float64 differences cannot be seen in a result of lower precision, or outside of the graph',
    cases: shapes.map((shape) => ({ name: `shape [${shape}]`, inputs: [make(shape)], call: (x) => call(x) })),
    errors: [
      {
        name: 'not a tensor',
        call: () => call(notATensor),
        error: ArgumentError,
        message: new RegExp(`${fn}: expected a tensor`),
      },
    ],
  });
}
samples({
  fn: 'to',
  cases: [
    { name: 'the same type', inputs: [make([2, 2])], call: (x) => to(x, 'float64') },
    { name: 'a copy', inputs: [make([2, 2])], call: (x) => to(x, { dtype: 'float64', copy: true }) },
    { name: 'the type of another', inputs: [make([2, 2])], call: (x) => to(x, x.detach()) },
  ],
  float32: false,
  errors: [
    {
      name: 'an unknown dtype',
      call: () => to(make([1]), 'float31' as 'float32'),
      error: ArgumentError,
      message: /unknown dtype "float31", did you mean "float32"/,
    },
    {
      name: 'another device',
      call: () => to(make([1]), 'cuda:0' as 'cpu'),
      error: DeviceError,
      message: /to: expected device 'cpu'/,
    },
  ],
});
