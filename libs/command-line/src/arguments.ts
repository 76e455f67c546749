/** Readers of arguments, for commander's `option` and `argument`. Each throws `InvalidArgumentError`, which names the option and is exit code 2. */
import { InvalidArgumentError } from 'commander';
import { Name, PublicKey } from '#libs/protocol';

/** A decimal integer from `least` to `most`. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`give a whole number from ${least} to ${most}`);
    return value;
  };

/** A TCP port, 0 for any free one. */
export const portNumber = wholeNumber(0, 65_535);

/** Id of a process, an analyst, a dataset or a federation, as a manifest takes it. */
export function nameArgument(text: string): string {
  if (!Name.safeParse(text).success)
    throw new InvalidArgumentError('give small letters, digits and hyphens, at most 64');
  return text;
}

/** An Ed25519 public key, as the `init` commands print it. */
export function keyArgument(text: string): string {
  if (!PublicKey.safeParse(text).success)
    throw new InvalidArgumentError('give the 43 characters that init printed');
  return text;
}

/** A folder; an empty name, as an unset variable of a shell leaves it, would be the current one. */
export function folderArgument(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('give the name of a folder');
  return text;
}

/** The address of a server. */
export function httpAddress(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError(
      'an address is such as http://127.0.0.1:4100 or https://concordat.example',
    );
  return text;
}
