/** The UNet of Ronneberger, Fischer and Brox (2015), with batch norm after every convolution. */
import { cat, nn, type Tensor } from 'nodegrad';

/** Two 3x3 convolutions, each with batch norm and ReLU: [N, C, H, W] to [N, K, H, W]. */
class DoubleConv extends nn.Sequential {
  constructor(inChannels: number, outChannels: number) {
    super(
      new nn.Conv2d(inChannels, outChannels, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(outChannels),
      new nn.ReLU({ inplace: true }),
      new nn.Conv2d(outChannels, outChannels, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(outChannels),
      new nn.ReLU({ inplace: true }),
    );
  }
}

/** Logits [N, outChannels, H, W] for images [N, inChannels, H, W]; H and W are multiples of 16. */
export class UNet extends nn.Module {
  readonly inc: DoubleConv;
  readonly down = new nn.ModuleList();
  readonly up = new nn.ModuleList();
  readonly conv = new nn.ModuleList();
  readonly outc: nn.Conv2d;

  constructor(inChannels = 3, outChannels = 2, width = 16) {
    super();
    const widths = [1, 2, 4, 8, 16].map((factor) => factor * width);
    this.inc = new DoubleConv(inChannels, widths[0]);
    for (let i = 1; i < widths.length; i++)
      this.down.append(new nn.Sequential(new nn.MaxPool2d(2), new DoubleConv(widths[i - 1], widths[i])));
    for (let i = widths.length - 2; i >= 0; i--) {
      this.up.append(new nn.ConvTranspose2d(widths[i + 1], widths[i], 2, { stride: 2 }));
      this.conv.append(new DoubleConv(2 * widths[i], widths[i]));
    }
    this.outc = new nn.Conv2d(width, outChannels, 1);
  }

  override forward(x: Tensor): Tensor {
    const skips = [this.inc(x)];
    for (const down of this.down) skips.push(down(skips[skips.length - 1]) as Tensor);
    let y = skips.pop() as Tensor;
    for (let i = 0; i < this.up.length; i++) {
      const skip = skips.pop() as Tensor;
      y = this.conv.at(i)(cat([skip, this.up.at(i)(y) as Tensor], 1)) as Tensor;
    }
    return this.outc(y);
  }
}
