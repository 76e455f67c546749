import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import { parseRho, rationalToNumberUp } from '#libs/dp';
import { COUNTED_NUMBERS, noiseVariance, planRhoNoise } from '#libs/linkage';
import { residentsAsked } from '#libs/linkage-party';
import { SignedAssertion } from '#libs/protocol';
import {
  answerNoise,
  canonicaliseQuery,
  describeQuery,
  fingerprint,
  groupsOf,
  INCIDENT_UNIT,
  type Query,
} from '#libs/query';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { reportedLoss } from '../releases/reported-loss.js';
import { type Party, partiesOf, type Round } from '../rounds/round.js';
import { RoundsService } from '../rounds/rounds.service.js';
import type { AssertionInput, Preview, QueryInput } from './question-models.js';
import type { Coverage, RoundView } from './round-models.js';

const plain = <T>(input: T): T => JSON.parse(JSON.stringify(input)) as T;

/** Questions on their way: preview, submission, progress. */
@Injectable()
export class RoundQueries {
  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(RoundsService) private readonly rounds: RoundsService,
  ) {}

  preview(input: QueryInput): Preview {
    const query = canonicaliseQuery(this.document(input));
    if (query.linkage) return this.previewLinked(query);
    // Noise of one unit in one group: agencies whose unit is the person add more, by bounds that only their own policies say.
    const levels = answerNoise({ ...query, measure: 'incidents' }, groupsOf(query), INCIDENT_UNIT);
    return {
      fingerprint: fingerprint(query),
      sentence: describeQuery(query),
      groups: groupsOf(query).length,
      typicalError: levels.map(({ level, sigma2 }) => ({
        level: String(level),
        standardDeviation: Math.sqrt(rationalToNumberUp(sigma2)),
      })),
      epsilon: Number(reportedLoss(query.rho).epsilon),
    };
  }

  private previewLinked(query: Query): Preview {
    residentsAsked(query.linkage);
    const noise = planRhoNoise(parseRho(query.rho), COUNTED_NUMBERS);
    return {
      fingerprint: fingerprint(query),
      sentence: describeQuery(query),
      groups: 1,
      typicalError: [{ level: 'total', standardDeviation: Math.sqrt(noiseVariance(noise)) }],
      epsilon: Number(reportedLoss(query.rho).epsilon),
    };
  }

  async submit(
    input: QueryInput,
    { publicKey, signature, identity, ...payload }: AssertionInput,
  ): Promise<RoundView> {
    const assertion = SignedAssertion.safeParse({
      payload: { ...payload, ...(typeof identity === 'string' ? { identity } : {}) },
      publicKey,
      signature,
    });
    if (!assertion.success)
      throw new ConcordatError('malformed-message', 'not a well-formed signed assertion');
    return this.view(await this.rounds.open(this.document(input), assertion.data));
  }

  async round(id: string): Promise<RoundView | null> {
    const round = await this.rounds.round(id);
    return round ? this.view(round) : null;
  }

  /** The query document that the federation's pinned grid completes. */
  private document({ agencies, measure, linkage, sealed, ...input }: QueryInput): unknown {
    const { grid } = this.coordinator.federation.manifest;
    return {
      version: 1,
      ...input,
      measure: measure ?? 'incidents',
      ...(agencies ? { agencies } : {}),
      ...(sealed ? { sealed } : {}),
      // Apollo's input objects have no prototype; the query reads plain ones
      ...(linkage ? { linkage: plain(linkage) } : {}),
      grid: grid.name,
      gridHash: grid.hash,
    };
  }

  private view(round: Round): RoundView {
    const { state, query } = round;
    return {
      id: state.id,
      fingerprint: state.fingerprint,
      sentence: describeQuery(query),
      phase: state.phase,
      deadline: state.deadline,
      sealed: state.sealed,
      coverage: partiesOf(round.state.standings, round.contributions).map((party) =>
        this.coverage(party),
      ),
      release: state.release,
      code: state.code,
    };
  }

  private coverage(party: Party): Coverage {
    const groups = party.status === 'answered' ? party.contribution.groups : [];
    return {
      agency: party.agency,
      name: this.coordinator.federation.agency(party.agency)?.name ?? party.agency,
      status: party.status,
      code: 'code' in party ? party.code : null,
      categories: [...new Set(groups.map(({ category }) => category))],
      periods: [...new Set(groups.map(({ period }) => period))],
      rhoSpent: party.status === 'answered' ? party.contribution.receipt.payload.rho : null,
      privacy: party.status === 'answered' ? party.contribution.receipt.payload.privacy : null,
    };
  }
}
