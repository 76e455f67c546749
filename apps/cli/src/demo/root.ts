import { fileURLToPath } from 'node:url';

/** The clone this runs from: samples and policies lie here. */
export const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
