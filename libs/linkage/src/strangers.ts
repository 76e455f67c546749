/**
 * Shared labels that are not one person: chance ones, which decoys measure (one list's dates shifted), and relatives who differ in
 * the field a key lacks, whom each list shows of itself. Taken off, what is left are people known to both whose records agree.
 */
import type { KeyCount } from './overlap-counts.js';

export interface Agreeing {
  /** People known to both whose records agree on the fields of the key. */
  readonly value: number;
  /** Variance of its own: chance strangers, decoys, noise. */
  readonly variance: number;
  /** Relatives subtracted, and the standard deviations of that number: not knowing how alike they are written, and counting. */
  readonly relatives: number;
  readonly unknown: number;
  readonly counted: number;
}

const FIXED_POINT_ROUNDS = 30;

/**
 * Agreeing people of one key, of `people` known to both. With m and n labels in the lists and T of them shared by records of one person:
 *
 * Chance strangers show only on a label that no agreeing pair shares: the decoys shrink by (1 - T / m)(1 - T / n).
 *
 * Relatives: where a pair of relatives within either list is as likely as p, there are 2 p m n across, and the labels that several share,
 * left + right = p (m^2 + n^2), tell p. They are taken to err independently of one another, as one person's two records do: then a pair
 * across agrees as often as the geometric mean of pairs within. Whole households that move between the lists make them fewer, at
 * most by the agreement rate of one person. That enters the variance about the most there can be: as likely none fewer as any number up to
 * that rate, of mean square width^2 / 6. A relative whose record is right
 * agrees with his own other record more often than most, with the root of the agreement rate.
 *
 * T counts labels. Two people known to both who share one are counted once; T^2 / 2 pairs of them share it as often as strangers and
 * relatives do among m n. No number is cut off at 0 on the way, so that noise makes none of them larger on average.
 */
export function agreeingPeople(key: KeyCount, people: number, noiseVariance: number): Agreeing {
  const decoys = key.decoys ?? 0;
  const within = key.relatives ? key.relatives.left + key.relatives.right : 0;
  const [m, n] = [Math.max(1, key.left), Math.max(1, key.right)];
  const across = (2 * m * n) / (m ** 2 + n ** 2);
  const related = key.relatives === null ? 0 : across * within - decoys;
  let labels = key.shared;
  let [byChance, amongRelatives, rate] = [1, 1, 1];
  for (let round = 0; round < FIXED_POINT_ROUNDS; round++) {
    rate = Math.min(1, Math.max(0.01, labels / Math.max(1, people)));
    const own = labels / Math.sqrt(rate);
    byChance = Math.max(0, 1 - labels / m) * Math.max(0, 1 - labels / n);
    amongRelatives = Math.max(0, 1 - own / m) * Math.max(0, 1 - own / n);
    labels = Math.max(0.5, key.shared - byChance * decoys - amongRelatives * related);
  }
  const strangers = Math.max(0, decoys);
  const measured = key.decoys === null ? 0 : byChance ** 2 * (strangers + noiseVariance);
  return {
    value: Math.max(0.5, labels * (1 + (labels * (decoys + related)) / (2 * m * n))),
    variance: byChance * strangers + measured + noiseVariance,
    relatives: Math.max(0, related) * amongRelatives,
    unknown: (Math.abs(related) * amongRelatives * (1 - rate)) / Math.sqrt(6),
    counted:
      key.relatives === null
        ? 0
        : amongRelatives * across * Math.sqrt(Math.max(0, within) + 2 * noiseVariance),
  };
}
