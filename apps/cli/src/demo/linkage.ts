/**
 * `npm start -- --with-linkage`: one linked count between two of the bundled agencies. Their people are invented, marked synthetic everywhere,
 * and only the demo knows how many of them are the same.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, domainDigest, utf8ToBytes } from '#libs/bytes';
import type { SigningKey } from '#libs/keystore';
import type { SyntheticRecord } from '#libs/linkage';
import { areaResolution } from '#libs/query';
import { ask } from '../ask.js';
import {
  assertAccepted,
  instruct,
  isFinished,
  labelsDone,
  makeProject,
} from '../linkage/project.js';
import { fetchRelease } from '../release-files.js';
import type { Children } from './children.js';
import { ANALYST, AUDITOR, COORDINATOR } from './federation-folder.js';
import type { Progress } from './progress.js';

const LEFT = 'avon-and-somerset-police';
const RIGHT = 'bristol-council';
/** Who holds the shares of the demo's linkage keys. */
export const DEMO_KEY_HOLDERS: [string, string, string] = [AUDITOR, LEFT, RIGHT];

/** Police nominals and council contacts of an invented area: enough for a narrow interval, few enough to label while one watches. */
const PLAN = { both: 600, onlyLeft: 200, onlyRight: 300, dependence: 1 };
const MONTHS = { from: '2024-01', to: '2024-06' };
const POLL_MS = 500;

/** The count beside the truth. `synthetic` is there so that no reader takes it for real people. */
export interface LinkedDemo {
  readonly synthetic: true;
  readonly left: string;
  readonly right: string;
  readonly truth: number;
  readonly naive: number;
  readonly corrected: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly release: string;
}

/** Throws `usage` unless both agencies of the linked count are there. */
export function assertLinkable(agencies: readonly { readonly id: string }[]): void {
  if ([LEFT, RIGHT].every((id) => agencies.some((agency) => agency.id === id))) return;
  throw new ConcordatError(
    'usage',
    `--with-linkage needs the bundled agencies ${LEFT} and ${RIGHT}`,
  );
}

const HEADER =
  'synthetic,person_id,category,month,role,local_authority,given_name,surname,date_of_birth,street_number,address_1,suburb,postcode';

const csvOf = (records: readonly SyntheticRecord[], role: string, category: string): string =>
  [
    HEADER,
    ...records.map(({ person, record }) =>
      [
        'yes',
        person,
        category,
        MONTHS.to,
        role,
        'E06000023',
        record.forename,
        record.surname,
        record.dateOfBirth,
        record.houseNumber,
        record.street,
        record.town,
        record.postcode,
      ].join(','),
    ),
  ].join('\n');

/** Writes the invented people of both agencies and has their nodes take them in. The nodes must not be running. */
export async function bringSyntheticPeople(dir: string, children: Children): Promise<void> {
  const { secretStream, syntheticLists } = await import('#libs/linkage');
  const seed = domainDigest('concordat/demo-people/v1', utf8ToBytes('synthetic'));
  const lists = syntheticLists(PLAN, secretStream(seed, 'people'));
  const folder = join(dir, 'synthetic-people');
  mkdirSync(folder, { recursive: true });
  for (const [id, records, role, category] of [
    [LEFT, lists.left, 'suspect', 'violence'],
    [RIGHT, lists.right, 'contact', 'asb'],
  ] as const) {
    const file = join(folder, `${id}-SYNTHETIC.csv`);
    writeFileSync(file, csvOf(records, role, category));
    await children.run(id, 'node', ['people', '--dir', join(dir, id), file], () => {});
  }
}

/** Makes a key, labels both agencies' people, asks one question, and returns the answer beside the truth. */
export async function runLinkage(
  dir: string,
  url: string,
  analyst: SigningKey,
  progress: Progress,
  signal: AbortSignal,
): Promise<LinkedDemo> {
  const operator = { dir: join(dir, COORDINATOR), url };
  const name = { project: 'synthetic-harm', epoch: '2024-1' };
  const project = makeProject(operator.dir, { ...name, left: LEFT, right: RIGHT });
  await instruct(operator, project, 'init', Date.now());
  for (const action of ['keygen', 'run'] as const) {
    let status = await instruct(operator, project, action, Date.now());
    assertAccepted(status);
    progress.say(
      action === 'keygen'
        ? 'linkage: three key-holders make a key that none of them holds'
        : 'linkage: both agencies label their people (synthetic) through two key-holders',
    );
    while (!isFinished(status, action)) {
      await pause(POLL_MS, undefined, { signal });
      status = await instruct(operator, project, 'status', Date.now());
      const { done, total } = labelsDone(status);
      if (action === 'run' && total > 0) progress.part('labelling', done, total);
    }
  }
  const area = 'total';
  const round = await ask(
    url,
    { id: ANALYST, key: analyst },
    {
      measure: 'linked-people',
      categories: ['asb', 'violence'],
      periods: [`${MONTHS.from}/${MONTHS.to}`],
      resolution: areaResolution(area),
      rho: '1/2',
      purpose: 'intervention-evaluation',
      agencies: [LEFT, RIGHT],
      linkage: { ...name, left: { agency: LEFT }, right: { agency: RIGHT }, area },
    },
    { nowMs: Date.now, onProgress: () => {}, signal },
  );
  const { linked } = await fetchRelease(url, round.release);
  if (!linked) throw new ConcordatError('unexpected-answer', 'the release holds no linked count');
  const { naive, corrected, low, high } = linked;
  const counted = { naive, corrected, low, high, release: round.release };
  return { synthetic: true, left: LEFT, right: RIGHT, truth: PLAN.both, ...counted };
}
