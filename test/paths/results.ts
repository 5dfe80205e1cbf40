/** What the child program of the comparison hands to the test. */

export interface Place {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}
/** Where a case's tensors are, or the error that it threw. */
export type Result = readonly Place[] | string;

export interface Index {
  readonly level: string;
  readonly threads: number;
  /** Of the bytes of all tensors of a case. */
  readonly digests: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, Result>>;
}
