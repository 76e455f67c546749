import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConcordatError } from '#libs/bytes';

/** Absolute path of a file shipped with the program, from the sources or from the build below `dist/`. */
export function packageFile(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, path);
    if (existsSync(file)) return file;
    if (dirname(folder) === folder) break;
    folder = dirname(folder);
  }
  throw new ConcordatError('incomplete-installation', `${path} is missing: install again`);
}
