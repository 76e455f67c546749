import {
  discreteGaussian,
  discreteLaplace,
  epsilonAtDelta,
  type NoiseSampler,
  type PrivacyEvent,
  rational,
  referenceGaussian,
} from '#libs/dp';
import { osRandom } from '#libs/host';
import type { Emit } from './line.js';
import { nationalTree, utilityGates } from './tree.bench.js';

const random = osRandom();

/** Draws a second of the best of `rounds` rounds, random words of the operating system included; warmed up. */
function drawsPerSecond(sampler: NoiseSampler, vector: number, rounds: number): number {
  const out = new Int32Array(vector);
  for (let i = 0; i < 3; i++) sampler.sampleInto(out, random);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const begin = performance.now();
    sampler.sampleInto(out, random);
    best = Math.min(best, performance.now() - begin);
  }
  return (vector / best) * 1000;
}

const gaussian = (sigma2: bigint, den = 1n): PrivacyEvent => ({
  mechanism: 'discrete-gaussian',
  sigma2: rational(sigma2, den),
  sensitivity: 1,
  count: 1,
});

function accounting(emit: Emit, name: string, events: readonly PrivacyEvent[]): void {
  const begin = performance.now();
  const { upper, lower } = epsilonAtDelta(events, 1e-6);
  emit({ name, figure: performance.now() - begin, unit: 'ms' });
  emit({ name: `${name}: width of the bound`, figure: (upper - lower) / upper, unit: 'relative' });
}

/** Samplers (table against CKS20 in the same run), privacy-loss accounting, the national tree and what its estimate gains. */
export async function run(emit: Emit): Promise<void> {
  for (const sigma2 of [rational(200n, 29n), rational(200n), rational(10n ** 8n)]) {
    const label = `sigma^2 ${sigma2.num}/${sigma2.den}`;
    const begin = performance.now();
    const table = discreteGaussian({ sigma2 });
    emit({ name: `dp table build, ${label}`, figure: performance.now() - begin, unit: 'ms' });
    const fast = drawsPerSecond(table, 1 << 20, 20);
    const reference = drawsPerSecond(referenceGaussian({ sigma2 }), 1 << 15, 5);
    emit({ name: `dp CKS20 bigint sampler, ${label}`, figure: reference, unit: 'draws/s' });
    emit({
      name: `dp table sampler, ${label}`,
      figure: fast,
      unit: 'draws/s',
      peer: 'CKS20 bigint sampler in the same run',
      ratio: fast / reference,
    });
  }
  const laplace = discreteLaplace({ scale: rational(10n) });
  emit({
    name: 'dp table sampler, discrete Laplace 10',
    figure: drawsPerSecond(laplace, 1 << 20, 20),
    unit: 'draws/s',
  });

  // Twelve months of one question at rho 1/8: seven levels each.
  const year = [200n, 200n, 80n, 40n, 20n].map((sigma2) => ({ ...gaussian(sigma2), count: 12 }));
  accounting(emit, 'dp accounting, 84 events on one lattice', [
    ...year,
    { ...gaussian(400n, 3n), count: 12 },
    { ...gaussian(200n, 29n), count: 12 },
  ]);
  accounting(
    emit,
    'dp accounting, 200 different events',
    Array.from({ length: 200 }, (_, i) => gaussian(BigInt(50 + 7 * i), 1n + BigInt(i % 3))),
  );
  accounting(
    emit,
    'dp accounting, 200 different events with sigma^2 near 10^6',
    Array.from({ length: 200 }, (_, i) => gaussian(10n ** 6n + 997n * BigInt(i))),
  );
  emit({
    name: 'dp bench, peak memory',
    figure: process.resourceUsage().maxRSS / 1024,
    unit: 'MiB',
  });
  nationalTree(emit);
  utilityGates(emit);
}
