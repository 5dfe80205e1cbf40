/**
 * The memory formats as PyTorch's names on the top level: `x.contiguous({ memoryFormat: channelsLast })` and `{
 * memoryFormat: 'channels_last' }` are the same.
 */
export const contiguousFormat = 'contiguous_format';
export const channelsLast = 'channels_last';
export const channelsLast3d = 'channels_last_3d';
export const preserveFormat = 'preserve_format';
