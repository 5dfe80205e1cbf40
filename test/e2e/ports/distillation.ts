/** distillation.py in nodegrad, line by line. */
import {
  arange,
  cuda,
  type DeviceName,
  load,
  manualSeed,
  max,
  meshgrid,
  nn,
  noGrad,
  ones,
  optim,
  randint,
  randn,
  saveToBuffer,
  sin,
  stack,
  type Tensor,
  utils,
} from 'nodegrad';

const F = nn.functional;
const { DataLoader, Dataset } = utils.data;

class BasicBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  shortcut: nn.Sequential;

  constructor(inPlanes: number, planes: number, stride = 1) {
    super();
    this.conv1 = new nn.Conv2d(inPlanes, planes, { kernelSize: 3, stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(planes);
    this.conv2 = new nn.Conv2d(planes, planes, { kernelSize: 3, stride: 1, padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(planes);
    this.shortcut = new nn.Sequential();
    if (stride !== 1 || inPlanes !== planes) {
      this.shortcut = new nn.Sequential(
        new nn.Conv2d(inPlanes, planes, { kernelSize: 1, stride, bias: false }),
        new nn.BatchNorm2d(planes),
      );
    }
  }

  override forward(x: Tensor): Tensor {
    let out = F.relu(this.bn1(this.conv1(x)));
    out = this.bn2(this.conv2(out));
    out.add_(this.shortcut(x));
    return F.relu(out);
  }
}

class Teacher extends nn.Module {
  inPlanes: number;
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  layer1: nn.Sequential;
  layer2: nn.Sequential;
  linear: nn.Linear;

  constructor(numClasses = 4) {
    super();
    this.inPlanes = 8;
    this.conv1 = new nn.Conv2d(1, 8, { kernelSize: 3, stride: 1, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(8);
    this.layer1 = this.makeLayer(8, 2, 1);
    this.layer2 = this.makeLayer(16, 1, 2);
    this.linear = new nn.Linear(16, numClasses);
  }

  private makeLayer(planes: number, numBlocks: number, firstStride: number): nn.Sequential {
    const strides = [firstStride, ...Array<number>(numBlocks - 1).fill(1)];
    const layers: nn.Module[] = [];
    for (const stride of strides) {
      layers.push(new BasicBlock(this.inPlanes, planes, stride));
      this.inPlanes = planes;
    }
    return new nn.Sequential(...layers);
  }

  override forward(x: Tensor): Tensor {
    let out = F.relu(this.bn1(this.conv1(x)));
    out = this.layer1(out);
    out = this.layer2(out);
    out = F.avgPool2d(out, 4);
    out = out.view(out.size(0), -1);
    return this.linear(out);
  }
}

class Student extends nn.Module {
  features: nn.Sequential;
  classifier: nn.Sequential;

  constructor(numClasses = 4) {
    super();
    this.features = new nn.Sequential(
      new nn.Conv2d(1, 6, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(6, 16, 3, { padding: 1 }),
      new nn.Hardswish(),
      new nn.AdaptiveAvgPool2d([1, 1]),
    );
    this.classifier = new nn.Sequential(new nn.Flatten(), new nn.Dropout(0.1), new nn.Linear(16, numClasses));
  }

  override forward(x: Tensor): Tensor {
    return this.classifier(this.features(x));
  }
}

/** Stripes of four directions, with noise. */
class Stripes extends Dataset<[image: Tensor, label: number]> {
  images: Tensor;
  labels: Tensor;

  constructor(count: number) {
    super();
    const [y, x] = meshgrid(arange(8).float(), arange(8).float(), { indexing: 'ij' });
    const directions = stack([x, y, x.add(y), x.sub(y)]);
    this.labels = randint(0, 4, [count]);
    this.images = sin(directions.index([this.labels]).mul(1.5))
      .add(randn(count, 8, 8).mul(0.5))
      .unsqueeze(1);
  }

  override get length(): number {
    return this.labels.size(0);
  }

  override getItem(index: number): [Tensor, number] {
    return [this.images.index(index), this.labels.index(index).item()];
  }
}

type Loader = utils.data.DataLoader<[image: Tensor, label: number]>;

async function accuracy(model: nn.Layer, loader: Loader, device: DeviceName): Promise<number> {
  model.eval();
  let correct = 0;
  let total = 0;
  for await (let [inputs, labels] of loader) {
    noGrad(() => {
      [inputs, labels] = [inputs.to(device), labels.to(device).long()];
      const [, predicted] = max(model(inputs).data, 1);
      total += labels.size(0);
      correct += predicted.eq(labels).sum().item();
    });
  }
  model.train();
  return correct / total;
}

export async function main(): Promise<number[]> {
  manualSeed(8);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const trainLoader: Loader = new DataLoader(new Stripes(60), { batchSize: 12, shuffle: true });
  const testLoader: Loader = new DataLoader(new Stripes(32), { batchSize: 16, shuffle: false });
  const losses: number[] = [];

  let teacher = new Teacher().to(device);
  const criterion = new nn.CrossEntropyLoss({ labelSmoothing: 0.1 });
  const teacherOptimizer = new optim.SGD(teacher.parameters(), {
    lr: 0.05,
    momentum: 0.9,
    weightDecay: 5e-4,
    nesterov: true,
  });
  const scheduler = new optim.lrScheduler.MultiStepLR(teacherOptimizer, { milestones: [2], gamma: 0.1 });
  for (let epoch = 0; epoch < 3; epoch++) {
    for await (let [inputs, labels] of trainLoader) {
      [inputs, labels] = [inputs.to(device), labels.to(device).long()];
      teacherOptimizer.zeroGrad();
      const loss = criterion(teacher(inputs), labels);
      loss.backward();
      teacherOptimizer.step();
      losses.push(loss.item());
    }
    scheduler.step();
  }
  losses.push(await accuracy(teacher, testLoader, device));

  const buffer = await saveToBuffer(teacher.stateDict());
  teacher = new Teacher().to(device);
  teacher.loadStateDict(await load(buffer));
  teacher.eval();
  for (const param of teacher.parameters()) param.requiresGrad_(false);

  const student = new Student().to(device);
  const hidden: Record<string, Tensor> = {};
  teacher.layer2.registerForwardHook((_module, _args, output) => {
    hidden.teacher = (output as Tensor).mean({ dim: [2, 3] });
  });
  student.features.registerForwardHook((_module, _args, output) => {
    hidden.student = (output as Tensor).flatten(1);
  });

  const [T, softTargetLossWeight, ceLossWeight] = [2, 0.25, 0.75];
  const ceLoss = new nn.CrossEntropyLoss();
  const cosineLoss = new nn.CosineEmbeddingLoss();
  const klLoss = new nn.KLDivLoss({ reduction: 'batchmean', logTarget: true });
  const optimizer = new optim.AdamW(student.parameters(), { lr: 1e-2 });
  student.train();
  for (let epoch = 0; epoch < 3; epoch++) {
    for await (let [inputs, labels] of trainLoader) {
      [inputs, labels] = [inputs.to(device), labels.to(device).long()];
      optimizer.zeroGrad();
      const teacherLogits = noGrad(() => teacher(inputs));
      const studentLogits = student(inputs);
      const softTargets = F.logSoftmax(teacherLogits.div(T), { dim: -1 });
      const softProb = F.logSoftmax(studentLogits.div(T), { dim: -1 });
      const softTargetsLoss = klLoss(softProb, softTargets).mul(T ** 2);
      const hiddenLoss = cosineLoss(hidden.student, hidden.teacher, ones(inputs.size(0)).to(device));
      const labelLoss = ceLoss(studentLogits, labels);
      const loss = softTargetsLoss.mul(softTargetLossWeight).add(labelLoss.mul(ceLossWeight)).add(hiddenLoss.mul(0.1));
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
  }
  losses.push(await accuracy(student, testLoader, device));
  return losses;
}
