import { readJournal } from '#libs/journal';
import { decodeEntry } from '#libs/tlog';
import { nodePaths } from '../config.js';
import { applyToHolds, emptyHoldBook } from './hold-book.js';
import { type RequestView, viewRequest } from './request-view.js';

/** Every request in the log of a node's folder, newest first. Takes no lock: the node may run. */
export async function readRequests(dir: string, nowMs: number): Promise<readonly RequestView[]> {
  const book = emptyHoldBook();
  for await (const { index, bytes } of readJournal(nodePaths(dir).log, { unsigned: true }))
    applyToHolds(book, index, decodeEntry(bytes));
  const now = new Date(nowMs).toISOString();
  return [...book.byId.values()].map((hold) => viewRequest(hold, now)).reverse();
}
