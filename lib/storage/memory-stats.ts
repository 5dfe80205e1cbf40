/** What a user can ask about the memory of tensors, and have given back. */
import { addon } from '../native/addon.js';
import { dropCache, poolBytes, resetPeaks } from './pool.js';

/** Bytes of the blocks that tensors of more than 2 KiB live in. */
export interface MemoryStats {
  /** In tensors; a dropped tensor counts until V8 has noticed that it is gone. */
  readonly allocatedBytes: number;
  /** The most that was in tensors since the start, or since `resetPeakMemoryStats`. */
  readonly peakAllocatedBytes: number;
  /** Kept for the tensors to come. */
  readonly cachedBytes: number;
  /** In tensors and kept. */
  readonly reservedBytes: number;
  readonly peakReservedBytes: number;
}

/**
 * The memory of this thread's tensors; smaller tensors share pages that are not counted. After torch.cuda.memory_stats.
 */
export function memoryStats(): MemoryStats {
  const { inUse, cached, peakInUse, peakReserved } = poolBytes();
  return {
    allocatedBytes: inUse,
    peakAllocatedBytes: peakInUse,
    cachedBytes: cached,
    reservedBytes: inUse + cached,
    peakReservedBytes: peakReserved,
  };
}

/** Sets the peaks of `memoryStats` to what there is now. After torch.cuda.reset_peak_memory_stats. */
export function resetPeakMemoryStats(): void {
  resetPeaks();
}

/**
 * Collects tensors that are gone, and gives what is kept for the next ones back to the system. After
 * torch.cuda.empty_cache.
 */
export function emptyCache(): void {
  dropCache();
  addon.giveBackPages();
}
