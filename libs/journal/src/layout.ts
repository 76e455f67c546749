/** Names in a log's directory. Tiles and entry bundles stand below it where C2SP tlog-tiles puts them. */
import { ConcordatError, fromUtf8, utf8ToBytes } from '#libs/bytes';

/** Every entry, framed, in order: the log itself. */
export const ENTRIES = 'entries.rec';
/** Every checkpoint ever published, framed, in order. */
export const HISTORY = 'checkpoints.rec';
/** The latest checkpoint. */
export const CHECKPOINT = 'checkpoint';
/** The writer's note over entries after it, where it stopped with any. */
export const TAIL = 'tail';

/** A record of the history: its number, a newline, the note. The number tells of one taken out. */
export const formatHistoryRecord = (number: number, note: string): Uint8Array =>
  utf8ToBytes(`${number}\n${note}`);

/** Inverse of `formatHistoryRecord`; throws `log-corrupt` unless it is record `number`. */
export function parseHistoryRecord(number: number, payload: Uint8Array): string {
  const text = fromUtf8(payload);
  const prefix = `${number}\n`;
  if (!text.startsWith(prefix)) {
    throw new ConcordatError('log-corrupt', 'the history of checkpoints is not in order');
  }
  return text.slice(prefix.length);
}
