import { readFile } from 'node:fs/promises';
import { ConcordatError } from '#libs/bytes';
import { replaceFile } from '#libs/host';
import type { ScheduleMemory } from './schedule.js';

/** A memory of schedules in one JSON file of this process alone, replaced whole and durably. Rejects with `schedule-file-damaged`. */
export function scheduleFile(path: string): ScheduleMemory {
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const mine = turn.then(run);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const load = async (): Promise<Map<string, number>> => {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
      throw error;
    }
    try {
      const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
      if (!entries.every((entry): entry is [string, number] => Number.isSafeInteger(entry[1]))) {
        throw new TypeError('not instants');
      }
      return new Map(entries);
    } catch {
      throw new ConcordatError(
        'schedule-file-damaged',
        `${path} cannot be read; remove it: instants missed until the next start do not fire`,
      );
    }
  };
  const store = async (instants: ReadonlyMap<string, number>): Promise<void> => {
    await replaceFile(path, JSON.stringify(Object.fromEntries(instants)), { mode: 0o600 });
  };

  return {
    read: (id) => inTurn(async () => (await load()).get(id)),
    write: (id, instantMs) =>
      inTurn(async () => {
        const instants = await load();
        if ((instants.get(id) ?? 0) >= instantMs) return;
        await store(instants.set(id, instantMs));
      }),
    remove: (id) =>
      inTurn(async () => {
        const instants = await load();
        if (instants.delete(id)) await store(instants);
      }),
  };
}
