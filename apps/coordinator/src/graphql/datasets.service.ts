import { Inject, Injectable } from '@nestjs/common';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { Offers } from '../federation/offers.js';
import { Inboxes } from '../rounds/inbox.js';
import type { Agency, Federation } from './federation-models.js';

/** Who is in the federation and what they can be asked about. */
@Injectable()
export class DatasetsService {
  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(Offers) private readonly offers: Offers,
    @Inject(Inboxes) private readonly inboxes: Inboxes,
  ) {}

  federation(): Federation {
    const { manifest, hash } = this.coordinator.federation;
    const { identityProvider: provider } = manifest;
    return {
      name: manifest.federation,
      manifest: hash,
      grid: manifest.grid.name,
      gridHash: manifest.grid.hash,
      signIn: provider
        ? { issuer: provider.issuer, clientId: provider.clientId, scope: provider.scope }
        : null,
    };
  }

  agencies(): Agency[] {
    const { federation } = this.coordinator;
    return federation.manifest.agencies.map((agency) => {
      const lastContactMs = this.inboxes.lastContactMs(agency.id);
      return {
        id: agency.id,
        name: agency.name,
        kind: agency.kind,
        categories: [...agency.categories],
        months: [...(this.offers.of(agency.id)?.months ?? [])],
        weeks: [...(this.offers.of(agency.id)?.weeks ?? [])],
        domainCells: federation.domainOf(agency).cells.length,
        lastContactAt: lastContactMs === undefined ? null : new Date(lastContactMs).toISOString(),
      };
    });
  }
}
