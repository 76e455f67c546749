/**
 * The one error base class of the project. `code` is stable and machine-readable (kebab-case); the message says what
 * to do next and never holds a record value, a count or an identifier of a person.
 */
export class ConcordatError extends Error {
  override readonly name: string = 'ConcordatError';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** True for an error of ours, optionally with exactly this code. */
export function isConcordatError(error: unknown, code?: string): error is ConcordatError {
  return error instanceof ConcordatError && (code === undefined || error.code === code);
}

/** Exit code of a command that ends with an error: 2 when the command line is wrong, 3 when nobody answers, else 1 (refused). */
export function exitCodeOf(code: string): 1 | 2 | 3 {
  if (code === 'usage') return 2;
  return code === 'unreachable' ? 3 : 1;
}

/** An error of the file system names the call that failed and the path it was given. */
const isFileError = (error: unknown): error is Error & { readonly path: string } =>
  error instanceof Error && 'syscall' in error && 'path' in error && typeof error.path === 'string';

/**
 * What a program says of the error that ended it. One of the file system (no such folder, no rights, a full disk) is `file-unavailable` and names
 * the path; what is neither that nor ours is a fault of the program, `internal`.
 */
export function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (isConcordatError(error)) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return isFileError(error)
    ? {
        code: 'file-unavailable',
        message: `${message}; check that path, its rights and the free space`,
      }
    : { code: 'internal', message };
}
