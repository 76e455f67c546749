/**
 * fast-check as specs get it (`jest.config.mjs`): every run draws the same cases, so that what passed passes again and what failed can be
 * repeated anywhere. CONCORDAT_NIGHTLY=1 draws new ones; a failure prints its seed, and CONCORDAT_SEED=N draws those again.
 */
import process from 'node:process';
// by its path: its name leads here
import fc from '../node_modules/fast-check/lib/fast-check.js';

const { CONCORDAT_SEED, CONCORDAT_NIGHTLY } = process.env;
if (CONCORDAT_SEED !== undefined) fc.configureGlobal({ seed: Number(CONCORDAT_SEED) });
else if (CONCORDAT_NIGHTLY !== '1') fc.configureGlobal({ seed: 1 });

export default fc;
