import type { ReleaseHeader, ReleaseReader } from './release-reader.js';
import type { Announced, ReleaseStore } from './release-store.js';

const view = ({ id, header, releasedAt }: Announced): ReleaseHeader => ({
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
  releasedAt,
});

/** Published releases as the map routes read them. */
export const mapReader = (store: ReleaseStore): ReleaseReader => ({
  list: () => store.all().map(view),
  header: (id) => {
    const announced = store.find(id);
    return announced && view(announced);
  },
  growth: (signal) => store.growth(signal),
  tree: (id) => store.tree(id),
  columns: (id, group) => store.columns(id, group),
});
