import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConcordatError } from '#libs/bytes';

/** Folder of the package that a module belongs to, where `policies/` and `dist/` lie; the same for sources and for built code. */
export function packageRoot(moduleUrl: string): string {
  for (let folder = dirname(fileURLToPath(moduleUrl)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) {
      throw new ConcordatError(
        'package-incomplete',
        'package.json is not above the program; install it again',
      );
    }
  }
}
