export { type Blobs, openBlobs } from './blobs.js';
export { verifyEd25519ByNode } from './ed25519.js';
export {
  type Journal,
  type JournalEntry,
  type JournalOptions,
  openJournal,
  type Recovery,
} from './journal.js';
