import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Makes `dir` and the parents it lacks, and returns those it made, outermost first. What cannot be made is the error of the file system. Node's own
 * `recursive` never comes back where a parent is there and takes no children, as below /proc or a link to nowhere.
 */
export function makeFolders(
  dir: string,
  { mode = 0o777 }: { readonly mode?: number } = {},
): readonly string[] {
  const wanted = [resolve(dir)];
  for (let parent = dirname(wanted[0] as string); !existsSync(parent); parent = dirname(parent))
    wanted.unshift(parent);
  return wanted.filter((path) => {
    try {
      mkdirSync(path, { mode });
      return true;
    } catch (error) {
      // there already, or another process was first
      if (isFolder(path)) return false;
      throw error;
    }
  });
}
