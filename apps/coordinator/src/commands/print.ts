/** One JSON document on stdout, or the lines that a person reads. */
export function print(asJson: boolean | undefined, value: object, lines: readonly string[]): void {
  process.stdout.write(asJson ? `${JSON.stringify(value)}\n` : `${lines.join('\n')}\n`);
}
