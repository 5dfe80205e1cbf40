/**
 * The correction of an average that began at zero, kept from one parameter to the next: those of a group stand at the
 * same step.
 */
export class BiasCorrection {
  private beta = Number.NaN;
  private step = Number.NaN;
  private value = Number.NaN;

  /** `1 - beta^step`. */
  at(beta: number, step: number): number {
    if (beta !== this.beta || step !== this.step) {
      this.beta = beta;
      this.step = step;
      this.value = 1 - beta ** step;
    }
    return this.value;
  }
}
