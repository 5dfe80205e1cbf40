/** Loads the samples of every family. */
export {};
