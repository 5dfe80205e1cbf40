/** torch.cpu: the device that is there. Calls return when they are done, so that there is nothing to wait for. */
export function isAvailable(): boolean {
  return true;
}
export function deviceCount(): number {
  return 1;
}
export function currentDevice(): string {
  return 'cpu';
}
export function synchronize(): void {}
