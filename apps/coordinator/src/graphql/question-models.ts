import { Field, Float, InputType, Int, ObjectType } from '@nestjs/graphql';

/** What an analyst asks, and what asking it would cost. Nothing here computes; the services do. */

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

  @Field({
    description:
      'total, the code of a local authority, or an H3 cell of resolution 4 to 7, as the left agency records it.',
  })
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

  @Field(() => String, {
    nullable: true,
    description: 'Of who signed in: the ID token for the key that signs.',
  })
  identity?: string | null;
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
