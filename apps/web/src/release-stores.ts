import { DomainCells } from './domain-cells.js';
import { LayerStore } from './layer-store.js';
import { fetchCells } from './release-client.js';
import { SharedRequest } from './shared-request.js';

/** Stores of the releases that were looked at. Releases over the same cells share the list of them. */
export class ReleaseStores {
  readonly #stores = new Map<string, SharedRequest<LayerStore>>();
  readonly #domains = new Map<string, DomainCells>();

  /** Store of a release, by its id. */
  async of(release: string, signal: AbortSignal): Promise<LayerStore> {
    let request = this.#stores.get(release);
    if (!request || request.isGivenUp) {
      request = new SharedRequest((shared) => this.#open(release, shared));
      this.#stores.set(release, request);
    }
    try {
      return await request.join(signal);
    } catch (error) {
      if (this.#stores.get(release) === request) this.#stores.delete(release);
      throw error;
    }
  }

  async #open(release: string, signal: AbortSignal): Promise<LayerStore> {
    const text = await fetchCells(release, signal);
    const domain = this.#domains.get(text) ?? DomainCells.parse(text);
    this.#domains.set(text, domain);
    return new LayerStore(domain);
  }
}
