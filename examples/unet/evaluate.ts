/** The validation loss and the Dice overlap of each target channel. */
import { noGrad, type Tensor, type utils } from 'nodegrad';

export interface Evaluation {
  readonly loss: number;
  /** 2 |P and T| / (|P| + |T|) per channel, over all pixels of all images. */
  readonly dice: readonly number[];
}

/** Runs the model over the loader in evaluation mode. */
export async function evaluate(
  model: { (x: Tensor): Tensor; train(mode?: boolean): unknown; eval(): unknown },
  loader: utils.data.DataLoader<[Tensor, Tensor]>,
  lossFn: (input: Tensor, target: Tensor) => Tensor,
): Promise<Evaluation> {
  model.eval();
  let loss = 0;
  let images = 0;
  let overlap = [0, 0];
  let total = [0, 0];
  for await (const [data, targets] of loader) {
    noGrad(() => {
      const logits = model(data).float();
      const predicted = logits.gt(0).float();
      const sums = (x: Tensor): number[] => x.sum([0, 2, 3]).tolist() as number[];
      const both = sums(predicted.mul(targets));
      const either = sums(predicted.add(targets));
      overlap = overlap.map((value, c) => value + both[c]);
      total = total.map((value, c) => value + either[c]);
      loss += (lossFn(logits, targets).item() as number) * data.shape[0];
      images += data.shape[0];
    });
  }
  model.train();
  return { loss: loss / images, dice: overlap.map((value, c) => (total[c] === 0 ? 1 : (2 * value) / total[c])) };
}
