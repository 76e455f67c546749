import { ConcordatError } from '#libs/bytes';
import { MAX_SIGMA2 } from './discrete-gaussian.js';
import { divideRational, type Rational, rational } from './rational.js';
import { type Rho, rhoOf } from './rho.js';

/**
 * One mechanism applied `count` times, each time to a count that one unit of privacy changes by at most `sensitivity`
 * (a positive integer). m records of one person in one cell: sensitivity m. In m cells: sensitivity 1, count m.
 */
export type PrivacyEvent = DiscreteGaussianEvent | DiscreteLaplaceEvent;

export interface DiscreteGaussianEvent {
  readonly mechanism: 'discrete-gaussian';
  readonly sigma2: Rational;
  readonly sensitivity: number;
  readonly count: number;
}

export interface DiscreteLaplaceEvent {
  readonly mechanism: 'discrete-laplace';
  readonly scale: Rational;
  readonly sensitivity: number;
  readonly count: number;
}

const MAX_EVENT_COUNT = 1_000_000;
const MAX_SENSITIVITY = 100_000;

const parameterOf = (event: PrivacyEvent): Rational =>
  event.mechanism === 'discrete-gaussian' ? event.sigma2 : event.scale;

/** Merges equal events and refuses senseless ones (`bad-event`, `too-many-events`). */
export function mergeEvents(events: readonly PrivacyEvent[]): readonly PrivacyEvent[] {
  const merged = new Map<string, PrivacyEvent>();
  let total = 0;
  for (const event of events) {
    const parameter = parameterOf(event);
    if (
      parameter.num <= 0n ||
      parameter.num > MAX_SIGMA2 * parameter.den ||
      !Number.isInteger(event.sensitivity) ||
      event.sensitivity < 1 ||
      event.sensitivity > MAX_SENSITIVITY ||
      !Number.isInteger(event.count) ||
      event.count < 1
    ) {
      throw new ConcordatError(
        'bad-event',
        `an event has a parameter above 0 and at most 2^30, a sensitivity from 1 to ${MAX_SENSITIVITY} and a count of at least 1`,
      );
    }
    total += event.count;
    const key = `${event.mechanism} ${parameter.num}/${parameter.den} ${event.sensitivity}`;
    const known = merged.get(key);
    merged.set(key, known ? { ...known, count: known.count + event.count } : event);
  }
  if (total > MAX_EVENT_COUNT) {
    throw new ConcordatError('too-many-events', `account for at most ${MAX_EVENT_COUNT} events`);
  }
  return [...merged.values()];
}

/**
 * zCDP of a discrete Gaussian event: count * sensitivity^2 / (2 sigma^2), exactly [CKS20, Theorem 4]. null for a discrete
 * Laplace event: it is accounted by its privacy loss alone (its pure epsilon would give epsilon^2 / 2 [BS16, Prop. 1.4]).
 */
export function eventRho(event: PrivacyEvent): Rho | null {
  if (event.mechanism === 'discrete-laplace') return null;
  const { sigma2, sensitivity, count } = event;
  return rhoOf(rational(BigInt(count) * BigInt(sensitivity) ** 2n * sigma2.den, 2n * sigma2.num));
}

/** The pure epsilon of a discrete Laplace event: count * sensitivity / scale, exactly. */
export const pureEpsilon = ({ scale, sensitivity, count }: DiscreteLaplaceEvent): Rational =>
  divideRational(rational(BigInt(count) * BigInt(sensitivity)), scale);
