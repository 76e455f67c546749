import { ConcordatError, fromUtf8 } from '#libs/bytes';

/** All of standard input as text. Throws `input-too-large` above `mostBytes`, `malformed-encoding` unless it is UTF-8. */
export async function readStandardInput(mostBytes: number): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Reading standard input; Ctrl-D ends it.\n');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > mostBytes) {
      throw new ConcordatError('input-too-large', `give at most ${mostBytes} bytes`);
    }
  }
  return fromUtf8(Buffer.concat(chunks));
}
