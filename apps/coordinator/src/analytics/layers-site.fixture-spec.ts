/** What the specs of layers share: a federation of one force with a year of made-up incidents, a release of it, and its two faces. */
import { setTimeout } from 'node:timers/promises';
import { cellAt, cellToText, disk, domainFromCells, sortedCells } from '#libs/grid';
import { monthsOf } from '#libs/query';
import { Federation, RunningProgram, streetFile } from '#libs/testing';

export const bristol = cellAt(51.4545, -2.5879, 9);
export const cells = sortedCells(disk(bristol, 9));
export const hot = cellToText(bristol);
export const months = monthsOf('2023-01/2023-12');
/** Much in the middle every month, a little elsewhere. */
const rows = months.flatMap((month, t) =>
  [...cells].flatMap((cell, i) => {
    const count = cell === bristol ? 15 : (i + t) % 23 === 0 ? 1 : 0;
    return Array.from({ length: count }, () => ({
      month,
      type: i % 2 ? 'Robbery' : 'Drugs',
      cell,
    }));
  }),
);
/** Burglaries stay in one place for ten months; from then on they are somewhere else each month. */
export const settled = monthsOf('2023-01/2023-10');
export const unsettled = monthsOf('2023-11/2024-01');
const burglaries = [...settled, ...unsettled].flatMap((month) => {
  const cell = cells[40 * (1 + unsettled.indexOf(month))] as bigint;
  return Array.from({ length: 40 }, () => ({ month, type: 'Burglary', cell }));
});

export interface LayerReply {
  readonly key: string;
  readonly status: string;
  readonly code: string | null;
  readonly releases: readonly string[];
  readonly columns: readonly string[];
  readonly rows: {
    readonly nodes: readonly { readonly values: readonly (string | null)[] }[];
    readonly endCursor: string | null;
    readonly totalCount: number;
  } | null;
}
const FIELDS =
  'key status code releases columns rows(first: 2) { nodes { values } endCursor totalCount }';

/** A federation with one release, of drugs and robberies in every month of 2023. */
export class LayersSite {
  /** That of the incidents in the middle. */
  readonly category = cells.indexOf(bristol) % 2 ? 'robbery' : 'drugs';

  private constructor(
    readonly federation: Federation,
    readonly release: string,
  ) {}

  static async open(): Promise<LayersSite> {
    const federation = await Federation.open({
      agencies: [
        {
          id: 'alpha-police',
          domain: domainFromCells('test/alpha', cells),
          files: { 'street.csv': streetFile([...rows, ...burglaries]) },
        },
      ],
      limits: { rhoPerQuery: '4', rhoPerYear: '40' },
    });
    const asked = { categories: ['drugs', 'robbery'], periods: months, rho: '4' } as const;
    const { round } = await federation.ask(asked);
    return new LayersSite(federation, String(round.release));
  }

  /** Asks for a layer until it is over. */
  async layer(field: string): Promise<LayerReply> {
    for (;;) {
      const { layer } = await this.federation.graphql<{ layer: LayerReply }>(
        `query ($releases: [ID!]!) { layer: ${field} { ${FIELDS} } }`,
        { releases: [this.release] },
      );
      if (layer.status !== 'waiting' && layer.status !== 'running') return layer;
    }
  }

  /** A computed layer as it is served to whoever has its key. */
  served(key: string): Promise<Response> {
    return fetch(new URL(`/v1/layers/${key}`, this.federation.url));
  }

  /** What a command printed, and how it ended. */
  async run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const program = new RunningProgram([...args, '--url', this.federation.url]);
    const { code } = await program.ended;
    return { code, stdout: program.stdout, stderr: program.stderr };
  }

  close(): Promise<void> {
    return this.federation.close();
  }
}

/** What `look` finds, once it finds something. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await setTimeout(200);
  }
}
