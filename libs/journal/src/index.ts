export { type Blobs, openBlobs } from './blobs.js';
export { type Journal, type JournalEntry, openJournal } from './journal.js';
export { type ReadFile, readFromDirectory } from './log-source.js';
export type { JournalOptions, Recovery } from './recovery.js';
export { inclusionProofFrom } from './stored-proof.js';
export type { Fault, FaultKind, VerifyOptions } from './verification.js';
export { readJournal, type VerifyReport, verifyJournal, verifyPublishedLog } from './verify.js';
export { openWitness, type Witness, type WitnessOptions } from './witness-store.js';
export { WitnessedLog, type WitnessedLogOptions, type WitnessMessage } from './witnessed-log.js';
