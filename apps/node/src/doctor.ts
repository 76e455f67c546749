/** `concordat doctor` for a node: everything its start depends on, one by one, with what to do. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  checkNamedKeys,
  checkPrivateFiles,
  type Examination,
  type Finding,
  fail,
  folderChecks,
  ok,
  type Report,
  runChecks,
  warn,
} from '#libs/doctor';
import { parseDomainFile } from '#libs/grid';
import { formerPaths, loadSigningKey, PinnedManifest, ProcessKeys } from '#libs/keystore';
import { applyEntry, emptyLedger } from '#libs/ledger';
import type { Manifest } from '#libs/protocol';
import { dateToDay, dayToDate, londonDay } from '#libs/query';
import { budgetYears } from './budget.js';
import { coordinatorOf, loadConfig, nodePaths } from './config.js';
import { loadPolicies } from './signed-policy.js';

const openManifest = (dir: string): Manifest =>
  PinnedManifest.open(nodePaths(dir).manifest, coordinatorOf(loadConfig(dir)).publicKey).manifest;

/** Signature, this agency's key and its domain. */
function checkManifest(dir: string): Finding {
  const paths = nodePaths(dir);
  const { agency: id } = loadConfig(dir);
  const manifest = openManifest(dir);
  const agency = manifest.agencies.find((candidate) => candidate.id === id);
  if (!agency)
    return fail('manifest', `does not name ${id}`, 'enrol this node, then fetch it again');
  const other = checkNamedKeys(
    'this agency',
    ProcessKeys.open(paths).standing(agency),
    'restore keys/signing.pem from the newest copy, or have the agency revoked and enrol anew',
  );
  if (other) return other;
  const domain = parseDomainFile(id, gunzipSync(readFileSync(paths.domain)).toString('utf8'));
  if (domain.hash !== agency.domain) {
    return fail('manifest', 'names another domain than domain.txt.gz', 'fetch the domain it names');
  }
  return ok('manifest', `${manifest.federation} serial ${manifest.serial}: keys and domain fit`);
}

/** Signature, floor, and how many grants are valid today. */
function checkPolicy(dir: string, nowMs: number): Finding {
  const paths = nodePaths(dir);
  const { agency } = loadConfig(dir);
  const { policies } = loadPolicies(paths, agency, [loadSigningKey(paths.signingKey).publicKey]);
  const { grants } = policies.agency;
  const today = londonDay(nowMs);
  const valid = grants.filter(
    ({ validFrom, validUntil }) => dateToDay(validFrom) <= today && today <= dateToDay(validUntil),
  );
  const says = `signed; ${valid.length} of ${grants.length} grants valid on ${dayToDate(today)}`;
  return valid.length === 0
    ? fail('policy', says, 'renew a grant and run: concordat node sign-policy')
    : ok('policy', says);
}

/** Runs every check on the folder of a node, which may be running. `full` verifies the whole log. */
export async function examineNode(dir: string, examination: Examination): Promise<Report> {
  const paths = nodePaths(dir);
  const ledger = emptyLedger();
  let isLogRead = false;
  return runChecks('node', dir, [
    ['config', () => ok('config', `node of ${loadConfig(dir).agency}`)],
    [
      'keys',
      () =>
        checkPrivateFiles([
          paths.signingKey,
          paths.boxKey,
          paths.recordSecret,
          ...formerPaths(paths.boxKey).map(({ path }) => path),
        ]),
    ],
    ['manifest', () => checkManifest(dir)],
    ['policy', () => checkPolicy(dir, examination.nowMs())],
    ...folderChecks({
      ...examination,
      dir,
      logDir: paths.log,
      owner: () => ({ manifest: openManifest(dir), id: loadConfig(dir).agency }),
      url: () => loadConfig(dir).coordinator?.url,
      onEntry: (index, entry) => {
        applyEntry(ledger, index, entry);
        isLogRead = true;
      },
    }),
    [
      'budget',
      () => {
        if (!isLogRead)
          return warn('budget', 'unknown: the log was not read', 'mend the log first');
        const years = budgetYears(ledger, loadConfig(dir).dataset.name, []);
        const spent = years.filter(({ left }) => left === '0' || left.startsWith('-'));
        const says = years.map(({ year, left, limit }) => `${year}: ${left} of ${limit} left`);
        return spent.length > 0
          ? warn(
              'budget',
              says.join(', '),
              'nothing: questions about a year that is used up are refused',
            )
          : ok('budget', says.join(', ') || 'nothing was spent yet');
      },
    ],
  ]);
}
