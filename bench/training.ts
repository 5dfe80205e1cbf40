/** What the workloads share: the training step, and the residual network. */
import { amp, nn, optim, type Tensor } from 'nodegrad';

/** One training step: forward, backward, optimizer, and the loss read back. */
export type Step = () => number;

export type Model = (x: Tensor) => Tensor;

/** The step of a model on one batch; Adam by default. */
export function trainer(
  model: nn.Module,
  lossFn: (output: Tensor, target: Tensor) => Tensor,
  x: Tensor,
  y: Tensor,
  optimizer?: optim.Optimizer,
  useAmp = false,
): Step {
  const opt = optimizer ?? new optim.Adam(model.parameters(), { lr: 1e-3 });
  const forward = model as unknown as Model;
  return () => {
    const loss = useAmp
      ? amp.autocast('cpu', { dtype: 'bfloat16' }, () => lossFn(forward(x), y))
      : lossFn(forward(x), y);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss.item() as number;
  };
}

class Block extends nn.Module {
  readonly c1: nn.Conv2d;
  readonly b1: nn.BatchNorm2d;
  readonly c2: nn.Conv2d;
  readonly b2: nn.BatchNorm2d;
  readonly sc: nn.Module;

  constructor(i: number, o: number, stride: number) {
    super();
    this.c1 = new nn.Conv2d(i, o, 3, { stride, padding: 1, bias: false });
    this.b1 = new nn.BatchNorm2d(o);
    this.c2 = new nn.Conv2d(o, o, 3, { stride: 1, padding: 1, bias: false });
    this.b2 = new nn.BatchNorm2d(o);
    this.sc =
      stride !== 1 || i !== o
        ? new nn.Sequential(new nn.Conv2d(i, o, 1, { stride, bias: false }), new nn.BatchNorm2d(o))
        : new nn.Identity();
  }

  override forward(x: Tensor): Tensor {
    const { relu } = nn.functional;
    return relu(this.b2(this.c2(relu(this.b1(this.c1(x))))).add((this.sc as unknown as Model)(x)));
  }
}

/** ResNet-18 in its CIFAR form. */
export function resnet(): nn.Sequential {
  const layers: nn.Module[] = [
    new nn.Conv2d(3, 64, 3, { stride: 1, padding: 1, bias: false }),
    new nn.BatchNorm2d(64),
    new nn.ReLU(),
  ];
  let channels = 64;
  for (const [out, stride] of [
    [64, 1],
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
    [512, 1],
  ]) {
    layers.push(new Block(channels, out, stride));
    channels = out;
  }
  return new nn.Sequential(...layers, new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(512, 10));
}
