import type { Offer } from '#libs/protocol';

/** The newest offer of each agency: which months and weeks it holds. Public facts, kept in memory and sent again at every reconnect. */
export class Offers {
  private readonly byAgency = new Map<string, Offer>();

  put(offer: Offer): void {
    const known = this.byAgency.get(offer.agency);
    if (!known || known.at <= offer.at) this.byAgency.set(offer.agency, offer);
  }

  of(agency: string): Offer | undefined {
    return this.byAgency.get(agency);
  }
}
