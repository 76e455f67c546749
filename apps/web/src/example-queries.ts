import type { Release } from './release-client.js';

/** What a tab of GraphiQL starts with. */
export interface ExampleQuery {
  readonly query: string;
  readonly variables: string;
}

const RELEASES = `# What is published, what it cost,
# and who did not answer.
# Estimates carry noise: read low and high.
# Ctrl-Space completes, Ctrl-Enter runs.

query Releases {
  releases(first: 3) {
    id
    sentence
    releasedAt
    privacy { unit rho epsilon delta }
    total { estimate low high }
    coverage { name status code }
  }
}
`;

const CELLS = `# The highest cells of a release.
# Under the map: all in view, as CSV.

query HighestCells(
  $release: ID!
  $category: String!
  $resolution: Int!
) {
  cells(
    release: $release
    category: $category
    resolution: $resolution
    orderBy: "estimate"
    first: 20
  ) {
    totalCount
    nodes { id estimate low high }
  }
}
`;

const HOTSPOTS = `# Hot spots, by a test that knows the noise.
# While status is "running", run it again.

query HotSpots(
  $releases: [ID!]!
  $category: String!
  $resolution: Int!
) {
  hotspots(
    releases: $releases
    category: $category
    resolution: $resolution
    waitSeconds: 20
  ) {
    status
    progress
    question
    uncertainty
    limitations
    citation
    columns
    rows(first: 20) { totalCount nodes { values } }
  }
}
`;

const CONCENTRATION = `# How concentrated? The Gini is in summary,
# the Lorenz curve in rows.

query Concentration(
  $releases: [ID!]!
  $category: String!
  $resolution: Int!
) {
  concentration(
    releases: $releases
    category: $category
    resolution: $resolution
    waitSeconds: 20
  ) {
    status
    summary
    uncertainty
    citation
    columns
    rows(first: 21) { nodes { values } }
  }
}
`;

const NO_RELEASE = 'publish a release first';

/** Queries that answer something on this coordinator: their variables name its newest release. */
export function exampleQueries(newest: Release | undefined): ExampleQuery[] {
  const release = newest?.id ?? NO_RELEASE;
  const category = newest?.query.categories[0] ?? 'burglary';
  const finest = newest?.query.resolution ?? 9;
  const layer = JSON.stringify(
    { releases: [release], category, resolution: Math.min(7, finest) },
    null,
    2,
  );
  const cells = JSON.stringify({ release, category, resolution: finest }, null, 2);
  return [
    { query: RELEASES, variables: '' },
    { query: CELLS, variables: cells },
    { query: HOTSPOTS, variables: layer },
    { query: CONCENTRATION, variables: layer },
  ];
}
