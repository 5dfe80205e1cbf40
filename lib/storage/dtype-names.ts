/**
 * The dtypes as PyTorch's names on the top level: `tensor(data, { dtype: int64 })` and `{ dtype: 'int64' }` are the
 * same.
 */
export const float32 = 'float32';
export const float = 'float32';
export const float64 = 'float64';
export const double = 'float64';
export const float16 = 'float16';
export const half = 'float16';
export const bfloat16 = 'bfloat16';
export const int64 = 'int64';
export const long = 'int64';
export const int32 = 'int32';
export const int = 'int32';
export const int16 = 'int16';
export const short = 'int16';
export const int8 = 'int8';
export const uint8 = 'uint8';
export const bool = 'bool';
