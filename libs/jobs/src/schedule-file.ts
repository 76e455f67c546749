import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConcordatError } from '#libs/bytes';
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
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(Object.fromEntries(instants)));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
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
