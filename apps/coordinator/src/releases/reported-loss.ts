import { parseRho, zcdpEpsilon } from '#libs/dp';

/** The delta at which epsilon is reported: well below one over the number of incidents of any agency and year. */
const DELTA = 1e-6;
const DECIMALS = 1e6;

/** (epsilon, delta) of a budget as decimal texts, epsilon rounded up [CKS20, Proposition 12]. */
export function reportedLoss(rho: string): { readonly epsilon: string; readonly delta: string } {
  const epsilon = Math.ceil(zcdpEpsilon(parseRho(rho), DELTA) * DECIMALS) / DECIMALS;
  return { epsilon: String(epsilon), delta: '0.000001' };
}
