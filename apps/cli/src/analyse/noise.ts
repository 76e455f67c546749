/** The noise of a node, from what a person writes on a command line. */
import type { NoiseLaw } from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import {
  discreteGaussian,
  discreteLaplace,
  type NoiseSampler,
  type Rational,
  rational,
} from '#libs/dp';

export interface NoiseOptions {
  readonly mechanism: 'discrete-laplace' | 'discrete-gaussian';
  readonly epsilon?: number | undefined;
  readonly sigma2?: number | undefined;
}

/** Throws `invalid-noise` unless the one parameter of the mechanism, above 0, and no other, is given. */
export function noiseLaw({ mechanism, epsilon, sigma2 }: NoiseOptions): NoiseLaw & NoiseOptions {
  if (
    mechanism === 'discrete-laplace' &&
    epsilon !== undefined &&
    epsilon > 0 &&
    sigma2 === undefined
  ) {
    return { mechanism, epsilon };
  }
  if (
    mechanism === 'discrete-gaussian' &&
    sigma2 !== undefined &&
    sigma2 > 0 &&
    epsilon === undefined
  ) {
    return { mechanism, sigma2 };
  }
  throw new ConcordatError(
    'invalid-noise',
    'discrete-laplace takes epsilon above 0 (sensitivity 1), discrete-gaussian takes sigma2 above 0',
  );
}

/** The decimal a person wrote, exactly: 0.1 is 1/10 and not the nearest double. */
function decimal(value: number): Rational {
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const [whole = '', fraction = ''] = digits.split('.');
  const power = Number(exponent) - fraction.length;
  const number = BigInt(whole + fraction);
  return power >= 0
    ? rational(number * 10n ** BigInt(power))
    : rational(number, 10n ** BigInt(-power));
}

/** The sampler a node would use for this law, for counts of sensitivity 1. */
export function noiseSampler(law: NoiseLaw): NoiseSampler {
  switch (law.mechanism) {
    case 'discrete-laplace': {
      const { num, den } = decimal(law.epsilon);
      return discreteLaplace({ scale: rational(den, num) });
    }
    case 'discrete-gaussian':
      return discreteGaussian({ sigma2: decimal(law.sigma2) });
    case 'none':
      return { sampleInto: (out) => void out.fill(0) };
  }
}
