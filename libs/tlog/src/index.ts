export { decodeEntry, Entry, type EntryOf, encodeEntry, MAX_ENTRY_BYTES } from './entry.js';
