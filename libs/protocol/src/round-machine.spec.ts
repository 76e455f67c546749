import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isConcordatError } from '#libs/bytes';
import {
  answeredIn,
  applyRoundEvent,
  closingCoverage,
  hasSettled,
  isCollecting,
  isOver,
  type RoundEvent,
  type RoundPhase,
  type RoundState,
} from './round-machine.js';

const AGENCIES = ['first', 'second', 'third'];
const hex = (digit: string): string => digit.repeat(64);
const about = { at: '2026-01-01T00:00:00.000Z', actor: 'coordinator', round: 'r1' } as const;

const opening = (sealed: boolean): RoundEvent => ({
  kind: 'round.opened',
  ...about,
  fingerprint: hex('a'),
  question: hex('b'),
  agencies: AGENCIES,
  deadline: '2026-01-01T00:02:00.000Z',
  sealed,
});
const released = (releaseDigest: string): RoundEvent => ({
  kind: 'round.released',
  verb: 'combination',
  ...about,
  recipient: 'analyst-1',
  purpose: 'hotspot-policing',
  fingerprint: hex('a'),
  releaseDigest,
  blob: releaseDigest,
});

/** A next event: of any kind, or written for the state as the coordinator writes it. */
type Step = RoundEvent | ((state: RoundState) => RoundEvent);

const agency = fc.constantFrom(...AGENCIES, 'stranger');
const digest = fc.constantFrom(hex('c'), hex('d'));
const of = <T extends object>(record: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(record);
const said: fc.Arbitrary<Step> = fc.oneof(
  of({ agency, valueDigest: digest }).map(
    (given): RoundEvent => ({
      kind: 'contribution.accepted',
      ...about,
      contribution: hex('e'),
      ...given,
    }),
  ),
  of({ agency, code: fc.constantFrom('wrong-rho', 'wrong-length') }).map(
    (given): RoundEvent => ({ kind: 'contribution.rejected', ...about, ...given }),
  ),
  of({ agency, code: fc.constantFrom('roles', 'node-fault') }).map(
    (given): RoundEvent => ({ kind: 'refusal.received', ...about, ...given }),
  ),
  of({ agency }).map(
    (given): RoundEvent => ({
      kind: 'hold.received',
      ...about,
      until: '2026-01-02T00:00:00.000Z',
      ...given,
    }),
  ),
  of({ agency }).map((given): RoundEvent => ({ kind: 'accept.received', ...about, ...given })),
);
const moved: fc.Arbitrary<Step> = fc.oneof(
  fc.boolean().map(opening),
  fc.constant<Step>({ kind: 'round.offered', ...about }),
  fc.constant<Step>((state) => ({
    kind: 'round.closed',
    ...about,
    coverage: closingCoverage(state),
  })),
  fc.constant<Step>({
    kind: 'round.closed',
    ...about,
    coverage: AGENCIES.map((id) => ({ agency: id, status: 'silent' })),
  }),
  fc.constant<Step>((state) => ({
    kind: 'round.unmasking',
    ...about,
    contributors: answeredIn(state),
  })),
  fc.constant<Step>({ kind: 'round.unmasking', ...about, contributors: ['first', 'second'] }),
  fc.constant<Step>({ kind: 'round.composing', ...about }),
  digest.map(released),
  fc
    .constantFrom('no-contribution', 'internal')
    .map((code): Step => ({ kind: 'round.aborted', ...about, code })),
  fc.constant<Step>({ kind: 'round.expired', ...about }),
  fc.constant<Step>({ kind: 'round.offered', ...about, round: 'r2' }),
);
/** What a coordinator that does its work writes next. */
const forward: Step = (state) => {
  if (state.phase === 'proposed') return { kind: 'round.offered', ...about };
  if (isCollecting(state)) {
    return { kind: 'round.closed', ...about, coverage: closingCoverage(state) };
  }
  if (state.phase === 'closed' && state.sealed) {
    return { kind: 'round.unmasking', ...about, contributors: answeredIn(state) };
  }
  return state.phase === 'composing' ? released(hex('f')) : { kind: 'round.composing', ...about };
};
/** Mostly in an order that leads somewhere, so that late phases are reached as often as early ones. */
const steps = fc
  .tuple(
    fc.boolean().map(opening),
    fc.array(fc.oneof({ weight: 3, arbitrary: said }, moved), { maxLength: 12 }),
    fc.array(fc.oneof(said, moved, { weight: 3, arbitrary: fc.constant(forward) }), {
      maxLength: 12,
    }),
  )
  .map(([first, early, late]): Step[] => [
    first,
    { kind: 'round.offered', ...about },
    ...early,
    ...late,
  ]);

/** The edges of the picture at the head of the machine. */
const FOLLOWS: Readonly<Record<RoundPhase, readonly RoundPhase[]>> = {
  proposed: ['offered', 'aborted', 'expired'],
  offered: ['collecting', 'closed', 'aborted'],
  collecting: ['closed', 'aborted'],
  closed: ['unmasking', 'composing', 'aborted', 'expired'],
  unmasking: ['composing', 'aborted', 'expired'],
  composing: ['released', 'aborted', 'expired'],
  released: [],
  aborted: [],
  expired: [],
};

function assertLegal(before: RoundState | undefined, state: RoundState): void {
  if (before && before.phase !== state.phase) {
    expect(FOLLOWS[before.phase]).toContain(state.phase);
  }
  expect(state.passed.at(-1)).toBe(state.phase);
  expect(new Set(state.passed).size).toBe(state.passed.length);
  expect([...state.standings.keys()]).toEqual(AGENCIES);
  const statuses = [...state.standings.values()].map(({ status }) => status);
  const isEnded = !isCollecting(state) && state.phase !== 'proposed' && state.phase !== 'aborted';
  if (isEnded && state.phase !== 'expired') expect(hasSettled(state)).toBe(true);
  if (state.phase === 'offered' || state.phase === 'proposed') {
    expect(new Set(statuses)).toEqual(new Set(['waiting']));
  }
  expect(state.release !== null).toBe(state.phase === 'released');
  expect(state.code !== null).toBe(state.phase === 'aborted');
  expect(state.contributors.length > 0).toBe(state.passed.includes('unmasking'));
  if (state.passed.includes('composing')) {
    expect(statuses).toContain('answered');
    expect(state.passed.includes('unmasking')).toBe(state.sealed);
  }
  if (before && isOver(before)) expect(state).toBe(before);
  // what an agency said last is final
  for (const [id, standing] of before?.standings ?? []) {
    if (['answered', 'refused', 'rejected', 'silent'].includes(standing.status)) {
      expect(state.standings.get(id)).toEqual(standing);
    }
  }
}

/** Runs steps, keeping the events that were taken; those that throw must be refused by a code. */
function run(all: readonly Step[]): { states: RoundState[]; taken: RoundEvent[] } {
  const states: RoundState[] = [];
  const taken: RoundEvent[] = [];
  for (const step of all) {
    const before = states.at(-1);
    if (typeof step === 'function' && !before) continue;
    const event = typeof step === 'function' ? step(before as RoundState) : step;
    const copy = before && structuredClone(before);
    try {
      states.push(applyRoundEvent(before, event));
      taken.push(event);
    } catch (error) {
      if (!isConcordatError(error)) throw error;
    }
    if (before) expect(before).toEqual(copy);
  }
  return { states, taken };
}

const RUNS = { numRuns: 300 };

describe('the round machine', () => {
  it('reaches no illegal state by any order of events, and never leaves an end', () => {
    const reached = new Map<RoundPhase, number>();
    fc.assert(
      fc.property(fc.array(fc.oneof(said, moved), { maxLength: 40 }), steps, (any, led) => {
        for (const order of [any, led]) {
          const { states } = run(order);
          for (const [i, state] of states.entries()) assertLegal(states[i - 1], state);
          const last = states.at(-1)?.phase;
          if (last) reached.set(last, (reached.get(last) ?? 0) + 1);
        }
      }),
      RUNS,
    );
    // the property would hold of a machine that goes nowhere
    expect([...reached.keys()].sort()).toEqual(Object.keys(FOLLOWS).sort());
  });

  it('is the same whether the log is replayed at once or a prefix and then the rest', () => {
    fc.assert(
      fc.property(steps, fc.nat(40), (all, cut) => {
        const { states, taken } = run(all);
        const replay = (events: readonly RoundEvent[], from?: RoundState) =>
          events.reduce<RoundState | undefined>(applyRoundEvent, from);
        const prefix = replay(taken.slice(0, cut));
        expect(replay(taken.slice(cut), prefix)).toEqual(states.at(-1));
        expect(replay(taken)).toEqual(states.at(-1));
      }),
      RUNS,
    );
  });

  it('takes a repeated event as nothing new', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let state: RoundState | undefined;
        for (const event of run(all).taken) {
          state = applyRoundEvent(state, event);
          expect(applyRoundEvent(state, { ...event, at: '2026-01-01T09:00:00.000Z' })).toBe(state);
        }
      }),
      RUNS,
    );
  });

  it('closes at any time while it collects, with what each agency said', () => {
    const { states } = run([
      opening(false),
      { kind: 'round.offered', ...about },
      { kind: 'hold.received', ...about, agency: 'second', until: '2026-01-02T00:00:00.000Z' },
      {
        kind: 'contribution.accepted',
        ...about,
        agency: 'third',
        contribution: hex('e'),
        valueDigest: hex('c'),
      },
      (state) => ({ kind: 'round.closed', ...about, coverage: closingCoverage(state) }),
      { kind: 'round.composing', ...about },
      released(hex('f')),
    ]);
    expect(states.map(({ phase }) => phase)).toEqual([
      'proposed',
      'offered',
      'collecting',
      'collecting',
      'closed',
      'composing',
      'released',
    ]);
    expect([...(states.at(-1)?.standings ?? [])]).toEqual([
      ['first', { status: 'silent' }],
      ['second', { status: 'refused', code: 'approval-needed' }],
      ['third', { status: 'answered', contribution: hex('e'), valueDigest: hex('c') }],
    ]);
  });

  it.each<[string, readonly Step[], Step]>([
    ['illegal-transition', [], { kind: 'round.offered', ...about }],
    ['illegal-transition', [opening(false)], { kind: 'round.composing', ...about }],
    ['illegal-transition', [opening(true)], opening(false)],
    ['not-asked', [opening(false)], { kind: 'accept.received', ...about, agency: 'stranger' }],
    ['wrong-round', [opening(false)], { kind: 'round.offered', ...about, round: 'r2' }],
    [
      'wrong-coverage',
      [opening(false), { kind: 'round.offered', ...about }],
      {
        kind: 'round.closed',
        ...about,
        coverage: AGENCIES.map((id) => ({ agency: id, status: 'answered' })),
      },
    ],
    [
      'round-closed',
      [
        opening(false),
        { kind: 'round.offered', ...about },
        (state) => ({ kind: 'round.closed', ...about, coverage: closingCoverage(state) }),
      ],
      { kind: 'refusal.received', ...about, agency: 'first', code: 'roles' },
    ],
  ])('refuses by %s and changes nothing', (code, before, event) => {
    const state = run(before).states.at(-1);
    expect(() => applyRoundEvent(state, event as RoundEvent)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
