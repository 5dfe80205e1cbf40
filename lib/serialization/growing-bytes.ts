/** Bytes that are written one after the other, into memory that grows. */
export class GrowingBytes {
  private buffer = Buffer.allocUnsafe(4096);
  private used = 0;

  reserve(count: number): number {
    const start = this.used;
    if (start + count > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, start + count));
      this.buffer.copy(grown, 0, 0, start);
      this.buffer = grown;
    }
    this.used = start + count;
    return start;
  }
  byte(value: number): void {
    const at = this.reserve(1);
    this.buffer[at] = value;
  }
  uint16(value: number): void {
    const at = this.reserve(2);
    this.buffer.writeUInt16LE(value, at);
  }
  int32(value: number): void {
    const at = this.reserve(4);
    this.buffer.writeInt32LE(value, at);
  }
  uint32(value: number): void {
    const at = this.reserve(4);
    this.buffer.writeUInt32LE(value, at);
  }
  double(value: number): void {
    const at = this.reserve(8);
    this.buffer.writeDoubleBE(value, at);
  }
  raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.buffer.set(bytes, at);
  }
  done(): Buffer {
    return this.buffer.subarray(0, this.used);
  }
}
