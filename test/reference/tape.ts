/**
 * A tape of float64 scalars with their derivatives: a definition written as plain loops over it is a reference for
 * values and gradients at once. Knows nothing of the library that it judges.
 */

/** Numbers of scalars on a tape. */
export type Ids = ArrayLike<number>;

/** Values on a tape; each remembers up to three that it was made of, and the derivatives by them. */
export class Tape {
  private size = 0;
  private values = new Float64Array(1024);
  private parents = new Int32Array(3 * 1024);
  private slopes = new Float64Array(3 * 1024);

  private push(value: number, a = -1, da = 0, b = -1, db = 0, c = -1, dc = 0): number {
    if (this.size === this.values.length) this.grow();
    const id = this.size++;
    this.values[id] = value;
    this.parents[3 * id] = a;
    this.parents[3 * id + 1] = b;
    this.parents[3 * id + 2] = c;
    this.slopes[3 * id] = da;
    this.slopes[3 * id + 1] = db;
    this.slopes[3 * id + 2] = dc;
    return id;
  }
  private grow(): void {
    const [values, parents, slopes] = [
      new Float64Array(2 * this.size),
      new Int32Array(6 * this.size),
      new Float64Array(6 * this.size),
    ];
    values.set(this.values);
    parents.set(this.parents);
    slopes.set(this.slopes);
    [this.values, this.parents, this.slopes] = [values, parents, slopes];
  }

  value(id: number): number {
    return this.values[id];
  }
  /** New scalars without parents. */
  leaves(values: ArrayLike<number>): Int32Array {
    return Int32Array.from({ length: values.length }, (_, i) => this.push(values[i]));
  }
  constant(value: number): number {
    return this.push(value);
  }
  /** f(x), of which the value and the slope are given. */
  apply(x: number, value: number, slope: number): number {
    return this.push(value, x, slope);
  }
  add(x: number, y: number): number {
    return this.push(this.values[x] + this.values[y], x, 1, y, 1);
  }
  sub(x: number, y: number): number {
    return this.push(this.values[x] - this.values[y], x, 1, y, -1);
  }
  mul(x: number, y: number): number {
    return this.push(this.values[x] * this.values[y], x, this.values[y], y, this.values[x]);
  }
  div(x: number, y: number): number {
    const [p, q] = [this.values[x], this.values[y]];
    return this.push(p / q, x, 1 / q, y, -p / (q * q));
  }
  /** sum + x y */
  fma(sum: number, x: number, y: number): number {
    return this.push(this.values[sum] + this.values[x] * this.values[y], sum, 1, x, this.values[y], y, this.values[x]);
  }
  /** factor x + offset */
  affine(x: number, factor: number, offset = 0): number {
    return this.push(factor * this.values[x] + offset, x, factor);
  }
  exp(x: number): number {
    const y = Math.exp(this.values[x]);
    return this.push(y, x, y);
  }
  log(x: number): number {
    return this.push(Math.log(this.values[x]), x, 1 / this.values[x]);
  }
  sqrt(x: number): number {
    const y = Math.sqrt(this.values[x]);
    return this.push(y, x, 0.5 / y);
  }
  tanh(x: number): number {
    const y = Math.tanh(this.values[x]);
    return this.push(y, x, 1 - y * y);
  }
  sigmoid(x: number): number {
    const y = 1 / (1 + Math.exp(-this.values[x]));
    return this.push(y, x, y * (1 - y));
  }
  relu(x: number): number {
    const v = this.values[x];
    return this.push(v > 0 ? v : 0, x, v > 0 ? 1 : 0);
  }
  sum(list: Ids): number {
    let total = this.constant(0);
    for (let i = 0; i < list.length; i++) total = this.add(total, list[i]);
    return total;
  }
  mean(list: Ids): number {
    return this.affine(this.sum(list), 1 / list.length);
  }
  dot(x: Ids, y: Ids): number {
    let total = this.constant(0);
    for (let i = 0; i < x.length; i++) total = this.fma(total, x[i], y[i]);
    return total;
  }
  /** The first of the largest. */
  max(list: Ids): number {
    let best = list[0];
    for (let i = 1; i < list.length; i++) if (this.values[list[i]] > this.values[best]) best = list[i];
    return best;
  }
  softmax(list: Ids): number[] {
    const top = this.values[this.max(list)];
    const powers = Array.from(list, (x) => this.exp(this.affine(x, 1, -top)));
    const total = this.sum(powers);
    return powers.map((p) => this.div(p, total));
  }
  logSumExp(list: Ids): number {
    const top = this.values[this.max(list)];
    return this.affine(this.log(this.sum(Array.from(list, (x) => this.exp(this.affine(x, 1, -top))))), 1, top);
  }
  /** Sum of squares around the mean, over the count less `correction`. */
  variance(list: Ids, correction = 0): number {
    const mean = this.mean(list);
    const rest = Array.from(list, (x) => this.sub(x, mean));
    return this.affine(this.dot(rest, rest), 1 / (list.length - correction));
  }

  read(ids: Ids): Float64Array {
    return Float64Array.from(ids, (id) => this.values[id]);
  }

  /** Derivatives of sum(cotangents * outputs) by every scalar of the tape. */
  gradients(outputs: readonly Ids[], cotangents: readonly ArrayLike<number>[]): Float64Array {
    const adjoint = new Float64Array(this.size);
    outputs.forEach((ids, k) => {
      for (let i = 0; i < ids.length; i++) adjoint[ids[i]] += cotangents[k][i];
    });
    for (let id = this.size - 1; id >= 0; id--) {
      const g = adjoint[id];
      if (g === 0) continue;
      for (let p = 3 * id; p < 3 * id + 3; p++)
        if (this.parents[p] >= 0) adjoint[this.parents[p]] += g * this.slopes[p];
    }
    return adjoint;
  }
}
