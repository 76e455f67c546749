/**
 * The entropy gate. The collision entropy of a key, H2 = -log2 P(two people share its value), bounds how often strangers
 * are linked. An agency measures it on its own people, one record each. A file of n people can show at most log2(n^2 / 2)
 * bits directly, so longer tuples are measured component by component, each conditioned on the earlier component that
 * explains most of it, which counts a postcode and its town once.
 */
import { ConcordatError } from '#libs/bytes';
import { collisions, encodeColumns, pairColumns } from './columns.js';
import type { ComponentName } from './component.js';
import type { MatchKey } from './match-key.js';
import type { StandardPerson } from './standardise.js';

/** Bits a key must carry unless the caller asks for more. */
export const MIN_KEY_BITS = 28;

/** Fewer equal pairs than this say too little about a rate: then the next coarser measure is used. */
const ENOUGH_COLLISIONS = 30;

interface Rate {
  readonly equal: number;
  readonly bits: number;
}

/** -log2 of a collision rate, half a collision added so that none observed is not taken for infinite entropy. */
const rateOf = (column: Int32Array): Rate => {
  const { equal, pairs } = collisions(column);
  return { equal, bits: pairs === 0 ? 0 : -Math.log2(Math.min(1, (equal + 0.5) / pairs)) };
};

/** Measures keys on one list of people, each person once. */
export class EntropyMeter {
  private readonly columns = new Map<ComponentName, Int32Array>();
  private readonly rates = new Map<string, Rate>();

  constructor(private readonly people: readonly StandardPerson[]) {}

  private column(name: ComponentName): Int32Array {
    const found = this.columns.get(name) ?? (encodeColumns(name, [this.people])[0] as Int32Array);
    this.columns.set(name, found);
    return found;
  }

  private rate(names: readonly ComponentName[]): Rate {
    const id = [...names].sort().join('+');
    const found = this.rates.get(id);
    if (found) return found;
    const [first, ...rest] = names.map((name) => [this.column(name)]);
    const joined = rest.reduce(pairColumns, first as Int32Array[]);
    const rate = rateOf(joined[0] as Int32Array);
    this.rates.set(id, rate);
    return rate;
  }

  /** Estimated collision entropy of the tuple in bits. */
  bits(components: readonly ComponentName[]): number {
    let total = 0;
    components.forEach((name, at) => {
      const alone = this.rate([name]).bits;
      const given = components.slice(0, at).map((other) => {
        const condition = this.rate([other]);
        const joint = this.rate([other, name]);
        return joint.equal < ENOUGH_COLLISIONS ? alone : Math.max(0, joint.bits - condition.bits);
      });
      total += Math.min(alone, ...given);
    });
    return total;
  }

  /** The same, from the tuple itself where enough people share a value to measure it. For keys few of which are asked. */
  measuredBits(components: readonly ComponentName[]): number {
    const direct = this.rate(components);
    return direct.equal >= ENOUGH_COLLISIONS ? direct.bits : this.bits(components);
  }
}

/** Refuses keys below `minBits` on these people: `low-entropy-key`, naming the key. */
export function checkEntropy(
  keys: readonly MatchKey[],
  people: readonly StandardPerson[],
  minBits: number = MIN_KEY_BITS,
): void {
  const meter = new EntropyMeter(people);
  for (const key of keys) {
    if (meter.measuredBits(key.components) < minBits) {
      throw new ConcordatError(
        'low-entropy-key',
        `the key ${key.id} carries less than ${minBits} bits on these people: add a component or leave it out`,
      );
    }
  }
}
