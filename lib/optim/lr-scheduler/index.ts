/** `optim.lrScheduler`: learning-rate schedules. */
export { ChainedScheduler, SequentialLR } from './composed.js';
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from './cosine.js';
export { CyclicLR } from './cyclic.js';
export { ExponentialLR, MultiStepLR, PolynomialLR, StepLR } from './decay.js';
export { LambdaLR, MultiplicativeLR } from './lambda.js';
export { OneCycleLR } from './one-cycle.js';
export { ReduceLROnPlateau } from './plateau.js';
export { LRScheduler } from './scheduler.js';
export { ConstantLR, LinearLR } from './warmup.js';
