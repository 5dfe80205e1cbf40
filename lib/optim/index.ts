/** `optim`: one file an algorithm, and the learning-rate schedulers. */
export {};
