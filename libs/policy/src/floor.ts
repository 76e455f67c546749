/** The federation's floor: an agency's document may only be stricter. */
import { parseRho } from '#libs/dp';
import { APPROVAL, BOUND_DIMENSIONS, compareExtents } from './dimension.js';
import type { PolicySet } from './policy.js';
import { atMost } from './request.js';

export interface FloorFault {
  /** Where the agency's document is looser, such as `grants.hotspot-policing.finestResolution`. */
  readonly at: string;
  readonly agency: string;
  readonly floor: string;
}

/** Every place where the agency's document allows more than the floor; none for a valid policy set. */
export function floorFaults({ federation, agency }: PolicySet): readonly FloorFault[] {
  const faults: FloorFault[] = [];
  for (const grant of agency.grants) {
    for (const { path, extent, show } of [...BOUND_DIMENSIONS, APPROVAL]) {
      if (compareExtents(extent(federation.floor), extent(grant)) === 'WIDENS') {
        faults.push({
          at: `grants.${grant.id}.${path}`,
          agency: show(grant),
          floor: show(federation.floor),
        });
      }
    }
  }
  const atMostRho = (at: string, own: string, floor: string): void => {
    if (!atMost(parseRho(own), parseRho(floor))) faults.push({ at, agency: own, floor });
  };
  const atMostInt = (at: string, own: number, floor: number): void => {
    if (own > floor) faults.push({ at, agency: String(own), floor: String(floor) });
  };
  for (const [id, own] of Object.entries(agency.limits.datasets)) {
    const at = `limits.datasets.${id}`;
    const floor = Object.hasOwn(federation.limits.datasets, id)
      ? federation.limits.datasets[id]
      : undefined;
    if (!floor) {
      faults.push({ at, agency: id, floor: 'no such dataset' });
      continue;
    }
    atMostRho(`${at}.rhoPerYear`, own.rhoPerYear, floor.rhoPerYear);
    const unit = `${at}.privacyUnit`;
    // a higher cut needs more noise for the same rho, in every agency's share of a national figure
    atMostInt(
      `${unit}.maxPerRelease`,
      own.privacyUnit.maxPerRelease,
      floor.privacyUnit.maxPerRelease,
    );
    atMostInt(`${unit}.maxPerYear`, own.privacyUnit.maxPerYear, floor.privacyUnit.maxPerYear);
  }
  const [own, floor] = [agency.limits.analysts, federation.limits.analysts];
  atMostRho('limits.analysts.rhoPerYear', own.rhoPerYear, floor.rhoPerYear);
  atMostInt('limits.analysts.queriesPerDay', own.queriesPerDay, floor.queriesPerDay);
  return faults;
}
