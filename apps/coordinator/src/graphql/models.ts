import { Field, Float, ID, InputType, Int, ObjectType } from '@nestjs/graphql';

/** GraphQL shapes. Nothing here computes; the services do. */

@InputType({ description: 'One of the two agencies of a linked count.' })
class LinkageSideInput {
  @Field()
  agency!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'How it knows the person, such as suspect; any way when left out.',
  })
  roles?: string[];

  @Field(() => [String], {
    nullable: true,
    description: "What it knows the person for; all of the question's categories when left out.",
  })
  categories?: string[];
}

@InputType({ description: 'Which linkage a count of linked people is made in.' })
class LinkageInput {
  @Field()
  project!: string;

  @Field()
  epoch!: string;

  @Field(() => LinkageSideInput)
  left!: LinkageSideInput;

  @Field(() => LinkageSideInput)
  right!: LinkageSideInput;

  @Field({ description: 'total, or the code of a local authority as the left agency records it.' })
  area!: string;
}

@InputType({
  description: 'What, where, when, how fine, at what privacy cost and for what purpose.',
})
export class QueryInput {
  @Field(() => String, {
    nullable: true,
    description:
      'incidents (when left out); people: different persons, each counted once a category and month; linked-people: known to two agencies.',
  })
  measure?: string;

  @Field(() => [String], { description: 'Common categories, such as violence or asb.' })
  categories!: string[];

  @Field(() => [String], {
    description: 'Months YYYY-MM, or windows YYYY-MM/YYYY-MM counted as one.',
  })
  periods!: string[];

  @Field(() => Int, { description: 'Finest H3 resolution, 4 to 9.' })
  resolution!: number;

  @Field({
    description: 'Privacy budget per agency as an exact rational of zCDP rho, such as "1/8".',
  })
  rho!: string;

  @Field({ description: 'Why it is asked, as the grants name it.' })
  purpose!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'Agencies to ask; every agency when left out.',
  })
  agencies?: string[];

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Nobody may see the answer of one agency. Questions to several agencies about one cell are sealed anyway.',
  })
  sealed?: boolean;

  @Field(() => LinkageInput, { nullable: true, description: 'With linked-people, and only then.' })
  linkage?: LinkageInput;
}

@InputType({ description: "The analyst's signature over exactly this question." })
export class AssertionInput {
  @Field()
  analyst!: string;

  @Field()
  fingerprint!: string;

  @Field()
  manifest!: string;

  @Field()
  at!: string;

  @Field()
  nonce!: string;

  @Field()
  publicKey!: string;

  @Field()
  signature!: string;
}

@ObjectType()
export class Federation {
  @Field()
  name!: string;

  @Field({ description: 'Hash of the pinned manifest, which an assertion names.' })
  manifest!: string;

  @Field()
  grid!: string;

  @Field()
  gridHash!: string;
}

@ObjectType()
export class Agency {
  @Field(() => ID)
  id!: string;

  @Field()
  name!: string;

  @Field()
  kind!: string;

  @Field(() => [String])
  categories!: string[];

  @Field(() => [String], {
    description: 'Months it says it holds; empty before its first contact.',
  })
  months!: string[];

  @Field(() => Int, { description: 'Resolution-9 cells of its public domain.' })
  domainCells!: number;

  @Field(() => String, { nullable: true })
  lastContactAt!: string | null;
}

@ObjectType({
  description: 'What a question would cost and how exact its answer would be, before it is asked.',
})
export class Preview {
  @Field()
  fingerprint!: string;

  @Field()
  sentence!: string;

  @Field(() => Int)
  groups!: number;

  @Field(() => [LevelError])
  typicalError!: LevelError[];

  @Field(() => Float, { description: 'Epsilon at delta 1e-6 of the budget, rounded up.' })
  epsilon!: number;
}

@ObjectType()
export class LevelError {
  @Field({ description: 'total, or an H3 resolution.' })
  level!: string;

  @Field(() => Float, {
    description:
      "Standard deviation of one agency's noise where the unit is the incident, before the estimate makes it smaller. " +
      'An agency whose unit is the person adds more, by the contribution bounds of its policy.',
  })
  standardDeviation!: number;
}

@ObjectType({ description: "Whom an agency's noise protects, and the bounds it enforced." })
export class PrivacyUnit {
  @Field({ description: 'incident, or person-year: all records of one person in one year' })
  unit!: string;

  @Field(() => Int, { description: 'Records of one person that count in one month.' })
  maxPerRelease!: number;

  @Field(() => Int, { description: 'Records of one person that count in one year.' })
  maxPerYear!: number;
}

@ObjectType()
export class Coverage {
  @Field()
  agency!: string;

  @Field()
  name!: string;

  @Field({ description: 'waiting, answered, refused, rejected or silent' })
  status!: string;

  @Field(() => String, { nullable: true })
  code!: string | null;

  @Field(() => [String])
  categories!: string[];

  @Field(() => [String])
  periods!: string[];

  @Field(() => String, { nullable: true })
  rhoSpent!: string | null;

  @Field(() => PrivacyUnit, { nullable: true, description: 'null where nothing was answered' })
  privacy!: PrivacyUnit | null;
}

@ObjectType()
export class RoundView {
  @Field(() => ID)
  id!: string;

  @Field()
  fingerprint!: string;

  @Field()
  sentence!: string;

  @Field({
    description:
      'proposed, offered, collecting, closed, unmasking, composing, released, aborted or expired',
  })
  phase!: string;

  @Field()
  deadline!: string;

  @Field({ description: 'Answers are masked, and only their sum is ever seen.' })
  sealed!: boolean;

  @Field(() => [Coverage])
  coverage!: Coverage[];

  @Field(() => ID, { nullable: true })
  release!: string | null;

  @Field(() => String, { nullable: true })
  code!: string | null;
}

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

@ObjectType({
  description: 'What an agency has spent, as its receipts in published releases prove.',
})
export class LedgerLine {
  @Field()
  agency!: string;

  @Field({ description: 'Exact rational of zCDP rho.' })
  rhoSpent!: string;

  @Field(() => Int)
  releases!: number;
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
