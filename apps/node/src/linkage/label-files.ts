/** OPRF outputs of one epoch: a file for each key type, 64 bytes a person in the order of the frozen list, zeros where a key is missing. */
import { mkdir, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

const OUTPUT_BYTES = 64;

export class LabelFiles {
  constructor(private readonly dir: string) {}

  /** Whole outputs in a column; what a crash cut off is removed. */
  async length(column: string): Promise<number> {
    const path = this.path(column);
    const found = await stat(path).catch(() => undefined);
    if (!found) return 0;
    const whole = Math.floor(found.size / OUTPUT_BYTES);
    if (whole * OUTPUT_BYTES !== found.size) await truncate(path, whole * OUTPUT_BYTES);
    return whole;
  }

  /** Durable when it resolves. */
  async append(column: string, outputs: readonly (Uint8Array | null)[]): Promise<void> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const bytes = new Uint8Array(outputs.length * OUTPUT_BYTES);
    outputs.forEach((output, i) => {
      if (output) bytes.set(output, i * OUTPUT_BYTES);
    });
    const file = await open(this.path(column), 'a', 0o600);
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** Outputs of the people at `positions` that have this key. */
  async read(column: string, positions: readonly number[]): Promise<Uint8Array[]> {
    const bytes = await readFile(this.path(column));
    return positions.flatMap((position) => {
      const output = bytes.subarray(position * OUTPUT_BYTES, (position + 1) * OUTPUT_BYTES);
      return output.some((byte) => byte !== 0) ? [output] : [];
    });
  }

  async erase(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }

  private path(column: string): string {
    return join(this.dir, column);
  }
}
