/** The arrays through which JavaScript and the addon see memory. */

/** An array of any element type that tensors have. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | Uint16Array;
