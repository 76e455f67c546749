import { isConcordatError } from '#libs/bytes';
import type { DatasetVersion, Records } from '#libs/records';

/** The dataset version in force; undefined before the first file was taken in. */
export async function heldVersion(
  records: Records,
  dataset: string,
): Promise<DatasetVersion | undefined> {
  try {
    return await records.version(dataset);
  } catch (error) {
    if (isConcordatError(error, 'unknown-dataset')) return undefined;
    throw error;
  }
}
