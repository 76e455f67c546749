/**
 * Recurring jobs. A schedule remembers the newest instant that has been dealt with; every process that holds it asks for the newest
 * instant due since then, as a job whose input names the instant. The content key makes one job of what several processes, or one
 * process before and after its restart, ask for. The instant is remembered once its job is over, so a killed process asks again.
 */
import { CronExpressionParser } from 'cron-parser';
import { ConcordatError, type Json } from '#libs/bytes';

export interface Recurring {
  /** Names the schedule; scheduling again under the same name replaces it. */
  readonly id: string;
  /** Five cron fields in UTC: minute, hour, day of month, month, day of week; six with seconds first. */
  readonly cron: string;
  readonly kind: string;
  /** Of every firing, which adds `scheduledFor`, an RFC 3339 instant. */
  readonly input: Readonly<Record<string, Json>>;
}

export interface ScheduleView extends Recurring {
  /** Next instant in Unix milliseconds. */
  readonly nextMs: number;
}

/** Remembers the newest instant dealt with of every schedule, in Unix milliseconds. Must outlive the process. */
export interface ScheduleMemory {
  read(id: string): Promise<number | undefined>;
  /** Keeps the later of what is there and `instantMs`. */
  write(id: string, instantMs: number): Promise<void>;
  remove(id: string): Promise<void>;
}

/** How often the clock is looked at: a machine that slept or a clock that was set is noticed this soon. */
const LOOK_EVERY_MS = 250;
const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

function parseCron(cron: string, atMs: number): ReturnType<typeof CronExpressionParser.parse> {
  try {
    return CronExpressionParser.parse(cron, { currentDate: new Date(atMs), tz: 'UTC' });
  } catch {
    throw new ConcordatError(
      'malformed-schedule',
      'a schedule is five cron fields in UTC, such as "0 6 15 * *" for 06:00 on the 15th of every month',
    );
  }
}

/** First instant after `atMs`. Throws `malformed-schedule`. */
export const nextInstant = (cron: string, atMs: number): number =>
  parseCron(cron, atMs).next().getTime();

/** Newest instant in (sinceMs, atMs], if there is one. */
export function newestDue(cron: string, sinceMs: number, atMs: number): number | undefined {
  // prev() looks strictly before its date
  const newest = parseCron(cron, atMs + 1)
    .prev()
    .getTime();
  return newest > sinceMs ? newest : undefined;
}

interface Held {
  readonly recurring: Recurring;
  sinceMs: number;
  isFiring: boolean;
}

/** The schedules that one process holds. `fire` enqueues and resolves once the job is over, whatever came of it. */
export class Schedules {
  private readonly held = new Map<string, Held>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly memory: ScheduleMemory,
    private readonly nowMs: () => number,
    private readonly fire: (kind: string, input: Json) => Promise<void>,
  ) {}

  async add(recurring: Recurring): Promise<void> {
    if (!ID.test(recurring.id)) {
      throw new ConcordatError(
        'malformed-schedule',
        'a schedule is named by lower-case letters, digits and hyphens, at most 64',
      );
    }
    const nowMs = this.nowMs();
    nextInstant(recurring.cron, nowMs);
    let sinceMs = await this.memory.read(recurring.id);
    if (sinceMs === undefined) {
      // what was due before anybody scheduled it is not owed
      sinceMs = nowMs;
      await this.memory.write(recurring.id, nowMs);
    }
    this.held.set(recurring.id, { recurring, sinceMs, isFiring: false });
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    this.look();
  }

  async remove(id: string): Promise<void> {
    this.held.delete(id);
    await this.memory.remove(id);
  }

  views(): ScheduleView[] {
    return [...this.held.values()].map(({ recurring }) => ({
      ...recurring,
      nextMs: nextInstant(recurring.cron, this.nowMs()),
    }));
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.held.clear();
  }

  private look(): void {
    for (const held of this.held.values()) {
      if (held.isFiring) continue;
      const due = newestDue(held.recurring.cron, held.sinceMs, this.nowMs());
      if (due !== undefined) void this.fireAt(held, due);
    }
  }

  private async fireAt(held: Held, due: number): Promise<void> {
    const { id, kind, input } = held.recurring;
    held.isFiring = true;
    try {
      await this.fire(kind, { ...input, scheduledFor: new Date(due).toISOString() });
      // closed or replaced meanwhile: whoever holds it next asks again and finds the job done
      if (this.held.get(id) !== held) return;
      await this.memory.write(id, due);
      held.sinceMs = due;
    } catch {
      // still due: the next look asks again
    } finally {
      held.isFiring = false;
    }
  }
}
