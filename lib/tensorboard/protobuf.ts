/** The few forms of protobuf that event files need: varints, doubles, floats, bytes, messages. It knows no message. */

/** Encoded fields, joined in the end. Fields whose value is undefined are left out. */
export class Message {
  private readonly parts: Uint8Array[] = [];

  private tag(field: number, wire: number): void {
    this.parts.push(varint(BigInt((field << 3) | wire)));
  }
  /** int32, int64, enum: negative values take ten bytes. */
  int(field: number, value: number | bigint | undefined): this {
    if (value === undefined) return this;
    this.tag(field, 0);
    this.parts.push(varint(BigInt.asUintN(64, BigInt(value))));
    return this;
  }
  double(field: number, value: number): this {
    this.tag(field, 1);
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.parts.push(bytes);
    return this;
  }
  float(field: number, value: number): this {
    this.tag(field, 5);
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.parts.push(bytes);
    return this;
  }
  bytes(field: number, value: Uint8Array): this {
    this.tag(field, 2);
    this.parts.push(varint(BigInt(value.length)), value);
    return this;
  }
  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }
  message(field: number, value: Message | undefined): this {
    return value === undefined ? this : this.bytes(field, value.encode());
  }
  /** repeated double, packed. */
  doubles(field: number, values: readonly number[]): this {
    const bytes = Buffer.alloc(8 * values.length);
    for (let i = 0; i < values.length; i++) bytes.writeDoubleLE(values[i], 8 * i);
    return this.bytes(field, bytes);
  }
  encode(): Buffer {
    return Buffer.concat(this.parts);
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
