import type { ReleaseHeader as Published } from '#libs/protocol';
import type { ReleaseHeader, ReleaseReader } from './release-reader.js';
import type { ReleaseStore } from './release-store.js';

const view = (id: string, header: Published): ReleaseHeader => ({
  id,
  fingerprint: header.fingerprint,
  query: header.query,
  sentence: header.sentence,
  grid: header.query.grid,
  gridHash: header.query.gridHash,
  groups: header.groups.map(({ category, period }) => ({ category, period })),
  privacy: {
    unit: header.privacy.unit,
    rho: header.privacy.rho,
    epsilon: Number(header.privacy.epsilon),
    delta: Number(header.privacy.delta),
  },
  agencies: header.coverage.map(({ agency, name, status, code }) => ({
    id: agency,
    name,
    status: status === 'answered' ? 'contributed' : status === 'silent' ? 'missing' : 'refused',
    ...(code === null ? {} : { code }),
  })),
  releasedAt: header.releasedAt,
});

/** Published releases as the map routes read them. */
export const mapReader = (store: ReleaseStore): ReleaseReader => ({
  list: () => store.all().map(({ id, header }) => view(id, header)),
  header: (id) => {
    const header = store.get(id);
    return header && view(id, header);
  },
  tree: (id) => store.tree(id),
  columns: (id, group) => store.columns(id, group),
});
