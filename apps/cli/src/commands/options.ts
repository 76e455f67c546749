import { InvalidArgumentError } from 'commander';

/** A TCP port, 0 for any free one. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('a port is 0 to 65535');
  return port;
}

export const DEFAULT_URL = 'http://127.0.0.1:4100';

/** The address of a server. */
export function httpAddress(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError(
      `an address is such as ${DEFAULT_URL} or https://concordat.example`,
    );
  return text;
}
