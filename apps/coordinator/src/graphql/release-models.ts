import { Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';
import { Coverage } from './round-models.js';

/** What was published. Numbers carry their uncertainty. */

@ObjectType()
export class Privacy {
  @Field({
    description:
      'The weakest unit of any contributor: incident, or person-year where all records name persons. Coverage has the unit of each.',
  })
  unit!: string;

  @Field({ description: "zCDP of each contributor's answer, an exact rational." })
  rho!: string;

  @Field(() => Float, { description: 'At delta, by zCDP conversion of rho, rounded up.' })
  epsilon!: number;

  @Field(() => Float, {
    description:
      'At delta, by exact accounting of the noise that was drawn, rounded up; the largest of any contributor.',
  })
  exactEpsilon!: number;

  @Field(() => Float)
  delta!: number;
}

@ObjectType()
export class Estimate {
  @Field(() => Float)
  estimate!: number;

  @Field(() => Float)
  standardError!: number;

  @Field(() => Float, { description: 'Lower end of the 95 % interval.' })
  low!: number;

  @Field(() => Float, { description: 'Upper end of the 95 % interval.' })
  high!: number;

  @Field(() => Int, { description: 'From the additive non-negative integer map.' })
  integer!: number;
}

@ObjectType()
export class Cell extends Estimate {
  @Field(() => ID)
  id!: string;

  @Field(() => Int)
  resolution!: number;
}

@ObjectType()
export class CellPage {
  @Field(() => [Cell])
  nodes!: Cell[];

  @Field(() => String, {
    nullable: true,
    description: 'Give it as `after` for the next page; null on the last.',
  })
  endCursor!: string | null;

  @Field(() => Int)
  totalCount!: number;
}

@ObjectType()
export class Release {
  @Field(() => ID)
  id!: string;

  @Field()
  fingerprint!: string;

  @Field()
  sentence!: string;

  @Field()
  releasedAt!: string;

  @Field({
    description: 'Only sums over its contributors were ever seen, with the help of the auditor.',
  })
  sealed!: boolean;

  @Field()
  grid!: string;

  @Field()
  gridHash!: string;

  @Field(() => Int)
  resolution!: number;

  @Field(() => [String])
  categories!: string[];

  @Field(() => [String])
  periods!: string[];

  @Field(() => Privacy)
  privacy!: Privacy;

  @Field(() => [Coverage])
  coverage!: Coverage[];

  @Field(() => Int, { description: 'Cells of the finest resolution that some agency covers.' })
  domainCells!: number;

  @Field(() => Int, { description: 'Those with a positive integer, summed over all groups.' })
  nonZeroCells!: number;

  @Field(() => Estimate, { description: 'Sum over every group.' })
  total!: Estimate;
}

@ObjectType({ description: 'How many people are known to two agencies: one number with noise.' })
export class LinkedCount {
  @Field(() => ID)
  id!: string;

  @Field()
  fingerprint!: string;

  @Field()
  sentence!: string;

  @Field()
  releasedAt!: string;

  @Field(() => Int, { description: 'What one strict key finds; may be negative, from noise.' })
  naive!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'Corrected for links that errors hide; null when too few people agree.',
  })
  corrected!: number | null;

  @Field(() => Int, { nullable: true, description: 'Lower end of the 95 % interval.' })
  low!: number | null;

  @Field(() => Int, { nullable: true, description: 'Upper end of the 95 % interval.' })
  high!: number | null;

  @Field(() => Float)
  epsilon!: number;

  @Field(() => Float)
  delta!: number;
}
