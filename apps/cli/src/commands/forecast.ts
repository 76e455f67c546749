/** `concordat forecast`: who answers for which forecast, how it does, and the switch. */
import process from 'node:process';
import type { Command } from 'commander';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { httpAddress } from '#libs/command-line';
import { loadSigningKey } from '#libs/keystore';
import { ForecastOrder, seal } from '#libs/protocol';
import { graphql } from '../graphql-client.js';
import { DEFAULT_URL } from './default-url.js';

const Layer = z.object({
  layer: z.string(),
  isOn: z.boolean(),
  owner: z.string(),
  purpose: z.string(),
  definition: z.object({
    category: z.string(),
    resolution: z.int(),
    horizon: z.int(),
    top: z.string(),
  }),
  enabledAt: z.string(),
  disabledAt: z.string().nullable(),
  disabledBy: z.string().nullable(),
  reason: z.string().nullable(),
  alarms: z.array(z.string()),
});
type Layer = z.infer<typeof Layer>;
const FIELDS =
  'layer isOn owner purpose definition { category resolution horizon top } enabledAt disabledAt disabledBy reason alarms';

interface Signing {
  readonly url: string;
  readonly key: string;
  readonly owner?: string;
  readonly analyst?: string;
  readonly layer: string;
  readonly json?: boolean;
}

/** Signs an order for the coordinator's present manifest and has it carried out. Throws `usage` and the coordinator's codes. */
async function switchForecast(
  { url, key }: Pick<Signing, 'url' | 'key'>,
  order: Readonly<Record<string, unknown>>,
): Promise<Layer> {
  const signer = loadSigningKey(key);
  const { federation } = await graphql(
    url,
    '{ federation { manifest } }',
    {},
    z.object({ federation: z.object({ manifest: z.string() }) }),
  );
  const payload = ForecastOrder.safeParse({
    ...order,
    manifest: federation.manifest,
    at: new Date().toISOString(),
  });
  if (!payload.success) {
    const place = payload.error.issues[0]?.path.at(-1);
    throw new ConcordatError(
      'usage',
      `the order is not well-formed, see ${String(place ?? 'its options')}`,
    );
  }
  const { publicKey, signature } = seal('forecast', payload.data, signer);
  const reply = await graphql(
    url,
    `mutation ($order: ForecastOrderInput!) { switchForecast(order: $order) { ${FIELDS} } }`,
    { order: { payload: JSON.stringify(payload.data), publicKey, signature } },
    z.object({ switchForecast: Layer }),
  );
  return reply.switchForecast;
}

const lineOf = ({ layer, isOn, owner, purpose, definition, alarms }: Layer): string =>
  `${layer.padEnd(28)} ${isOn ? 'on ' : 'off'}  ${owner}, ${purpose}: ${definition.category}, resolution ${definition.resolution}, ${definition.horizon} ahead, top ${definition.top}${alarms.length > 0 ? `, ${alarms.length} drift ${alarms.length === 1 ? 'alarm' : 'alarms'}` : ''}\n`;

const print = (json: boolean | undefined, document: unknown, text: string): void => {
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : text);
};

const URL_FLAG = ['--url <url>', 'address of the coordinator', httpAddress, DEFAULT_URL] as const;
const JSON_FLAG = ['--json', 'print one JSON document on stdout'] as const;

export function registerForecast(program: Command): void {
  const forecast = program
    .command('forecast')
    .description('forecast layers: who answers for them, how they do, and the switch');
  addEnable(forecast);
  addDisable(forecast);
  forecast
    .command('list')
    .description('every layer that was ever switched on')
    .option(...URL_FLAG)
    .option(...JSON_FLAG)
    .addHelpText('after', '\nExample:\n  concordat forecast list --url https://concordat.example')
    .action(async ({ url, json }: { url: string; json?: boolean }) => {
      const { forecastLayers } = await graphql(
        url,
        `{ forecastLayers { ${FIELDS} } }`,
        {},
        z.object({ forecastLayers: z.array(Layer) }),
      );
      const none = 'No forecast is or was switched on.\n';
      print(json, forecastLayers, forecastLayers.map(lineOf).join('') || none);
    });
  forecast
    .command('card')
    .description('model card of a layer, from its newest run: Markdown, or JSON with --json')
    .requiredOption('--layer <name>', 'name of the layer')
    .option(...URL_FLAG)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      '\nExample:\n  concordat forecast card --layer robbery-next-month > card.md',
    )
    .action(async ({ url, layer, json }: { url: string; layer: string; json?: boolean }) => {
      const { forecastCard } = await graphql(
        url,
        'query ($layer: String!) { forecastCard(layer: $layer) { json markdown } }',
        { layer },
        z.object({ forecastCard: z.object({ json: z.string(), markdown: z.string() }) }),
      );
      process.stdout.write(json ? `${forecastCard.json}\n` : forecastCard.markdown);
    });
}

function addEnable(forecast: Command): void {
  forecast
    .command('enable')
    .description(
      'switch a layer on and answer for it; needs the role forecast-owner in the manifest',
    )
    .requiredOption('--layer <name>', 'name of the layer')
    .requiredOption('--owner <id>', 'analyst of the manifest who answers for it')
    .requiredOption('--key <file>', "the owner's private key")
    .requiredOption('--purpose <purpose>', 'what it is used for, such as hotspot-policing')
    .requiredOption('--category <name>', 'common category')
    .option('--resolution <n>', 'H3 resolution', Number, 9)
    .option('--horizon <n>', 'months ahead, 1 to 4', Number, 1)
    .option('--top <share>', 'share of the cells that can be attended to', '0.01')
    .option(...URL_FLAG)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      `
Example:
  concordat forecast enable --layer robbery-next-month --owner demo-analyst --key federation/analyst/signing.pem \\
    --purpose hotspot-policing --category robbery`,
    )
    .action(
      async (
        flags: Signing & {
          owner: string;
          purpose: string;
          category: string;
          resolution: number;
          horizon: number;
          top: string;
        },
      ) => {
        const { layer, owner, purpose, category, resolution, horizon, top } = flags;
        const state = await switchForecast(flags, {
          action: 'enable',
          layer,
          analyst: owner,
          purpose,
          definition: { category, resolution, horizon, top },
        });
        print(flags.json, state, lineOf(state));
      },
    );
}

function addDisable(forecast: Command): void {
  forecast
    .command('disable')
    .description('switch a layer off at once; any analyst of the manifest may')
    .requiredOption('--layer <name>', 'name of the layer')
    .requiredOption('--analyst <id>', 'analyst of the manifest who decides')
    .requiredOption('--key <file>', "the analyst's private key")
    .requiredOption('--reason <text>', 'why; it stands in the log')
    .option(...URL_FLAG)
    .option(...JSON_FLAG)
    .addHelpText(
      'after',
      `
Example:
  concordat forecast disable --layer robbery-next-month --analyst demo-analyst --key federation/analyst/signing.pem \\
    --reason "drift alarm of March"`,
    )
    .action(async (flags: Signing & { analyst: string; reason: string }) => {
      const { layer, analyst, reason } = flags;
      const state = await switchForecast(flags, { action: 'disable', layer, analyst, reason });
      print(flags.json, state, lineOf(state));
    });
}
