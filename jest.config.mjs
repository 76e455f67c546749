const swc = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

const project = (displayName, testMatch) => ({
  displayName,
  testMatch,
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/tools'],
  testEnvironment: 'node',
  // '#libs/dp' resolves to libs/dp/src/index.ts through package.json "imports"
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', swc] },
  // sources say './x.js' (NodeNext); under Jest the file on disk is './x.ts'
  moduleNameMapper: {
    '^(\\.{1,2}/.+)\\.js$': ['$1.ts', '$1.js'],
    '^fast-check$': '<rootDir>/tools/seeded-fast-check.mjs',
  },
});

/** @type {import('jest').Config} */
export default {
  maxWorkers: 2,
  workerIdleMemoryLimit: '768MB',
  // Jest's own half a second is no leak: a loaded machine takes as long to end a process
  workerGracefulExitTimeout: 10_000,
  // a test that passes never waits for it, on however slow a machine
  testTimeout: 300_000,
  coverageProvider: 'v8',
  collectCoverageFrom: ['libs/*/src/**/*.ts', '!**/*spec.ts'],
  reporters: ['default', '<rootDir>/tools/jest-summary.mjs'],
  projects: [
    project('unit', ['**/*.spec.ts']),
    project('stat', ['**/*.stat-spec.ts']),
    {
      ...project('e2e', ['**/*.e2e-spec.ts']),
      globalSetup: '<rootDir>/tools/jest-build.mjs',
    },
  ],
};
