/**
 * Import directions, as one table: each lib and app, and the libs it may import.
 * The picture of this table is in ARCHITECTURE.md; a new arrow is a change to both.
 */
const MAY_IMPORT = {
  // level 0: bytes is under everything; dp and grid know nothing of each other
  'libs/bytes': [],
  'libs/dp': ['bytes'],
  'libs/grid': ['bytes'],
  // level 1
  'libs/query': ['bytes', 'dp', 'grid'],
  'libs/tlog': ['bytes'],
  'libs/harmonise': ['bytes', 'grid'],
  'libs/linkage': ['bytes', 'dp'],
  'libs/sealing': ['bytes', 'dp'],
  'libs/analytics': ['bytes', 'dp', 'grid'],
  // level 2
  'libs/policy': ['bytes', 'dp', 'grid', 'query'],
  'libs/ledger': ['bytes', 'dp', 'query', 'tlog'],
  'libs/protocol': ['bytes', 'dp', 'grid', 'query', 'tlog'],
  // level 3
  'libs/host': ['bytes', 'dp', 'tlog'],
  'libs/command-line': ['bytes', 'protocol'],
  // level 4
  'libs/journal': ['bytes', 'tlog', 'host'],
  'libs/keystore': ['bytes', 'tlog', 'protocol', 'host'],
  'libs/identity': ['bytes', 'protocol'],
  'libs/records': ['bytes', 'dp', 'grid', 'query', 'harmonise'],
  'libs/layers': ['bytes', 'dp', 'grid', 'query', 'analytics', 'protocol'],
  'libs/linkage-party': ['bytes', 'dp', 'grid', 'tlog', 'linkage', 'protocol', 'host'],
  'libs/jobs': ['bytes', 'host'],
  'libs/doctor': ['bytes', 'tlog', 'protocol', 'host', 'journal'],
  'libs/nest-kit': ['bytes', 'tlog', 'protocol', 'host', 'command-line'],
  'libs/testing': '*',
  // apps
  'apps/node': '*',
  'apps/coordinator': '*',
  'apps/auditor': '*',
  'apps/cli': [
    'bytes',
    'dp',
    'grid',
    'query',
    'tlog',
    'harmonise',
    'linkage',
    'sealing',
    'analytics',
    'policy',
    'ledger',
    'protocol',
    'layers',
    'linkage-party',
    'host',
    'command-line',
    'jobs',
    'journal',
    'keystore',
    'identity',
    'nest-kit',
  ],
  'apps/web': ['bytes', 'dp', 'grid', 'analytics', 'protocol'],
};
/** The folders of libs/analytics/src, and which of them each may import. */
const ANALYTICS_FOLDERS = {
  laws: [],
  rates: ['laws'],
  evaluate: ['laws'],
  detect: ['laws'],
  predict: ['laws', 'rates'],
  concentration: ['laws', 'rates', 'predict'],
  track: ['laws', 'rates', 'detect', 'predict'],
};
/** Libs of levels 0 to 2, and layers: no Nest, no Node core, no clock, no ambient randomness. */
const PURE =
  '^libs/(bytes|dp|grid|query|tlog|harmonise|linkage|sealing|analytics|policy|ledger|protocol|layers)/';
const SPEC = '[.-]spec\\.ts$';

const directions = Object.entries(MAY_IMPORT)
  .filter(([, libs]) => libs !== '*')
  .map(([from, libs]) => {
    const self = from.startsWith('libs/') ? [from.slice(5)] : [];
    return {
      name: `${from.replace('/', '-')}-may-import-only`,
      comment: `${from} may import: ${libs.join(', ') || 'no other lib'}`,
      severity: 'error',
      from: { path: `^${from}/`, pathNot: SPEC },
      to: { path: `^libs/(?!(${[...self, ...libs, '-'].join('|')})/)` },
    };
  });

const analyticsFolders = Object.entries(ANALYTICS_FOLDERS).map(([from, folders]) => ({
  name: `analytics-${from}-may-import-only`,
  comment: `libs/analytics/src/${from} may import: ${folders.join(', ') || 'no other folder'}`,
  severity: 'error',
  from: { path: `^libs/analytics/src/${from}/`, pathNot: SPEC },
  to: { path: `^libs/analytics/src/(?!(${[from, ...folders].join('|')})/)` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...directions,
    ...analyticsFolders,
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'libs-not-to-apps',
      comment: 'libs/testing alone may: its Federation starts the applications for tests.',
      severity: 'error',
      from: { path: '^libs/(?!testing/)' },
      to: { path: '^apps/' },
    },
    {
      name: 'no-cross-app',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/(?!$1/)' },
    },
    {
      name: 'public-face-only',
      comment: 'Reach another lib through #libs/<name>, never through its files.',
      severity: 'error',
      from: { path: '^(?:libs|apps)/([^/]+)/' },
      to: { path: '^libs/(?!$1/)[^/]+/src/(?!index\\.ts$)' },
    },
    {
      name: 'pure-libs-no-framework',
      severity: 'error',
      from: { path: PURE },
      to: { path: 'node_modules/(@nestjs|@apollo|graphql|bullmq|ioredis|fastify|@duckdb)' },
    },
    {
      name: 'pure-libs-no-node-core',
      severity: 'error',
      from: { path: PURE, pathNot: SPEC },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-test-code-in-src',
      severity: 'error',
      from: { pathNot: `${SPEC}|^libs/testing/` },
      to: { path: `${SPEC}|^libs/testing/` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
