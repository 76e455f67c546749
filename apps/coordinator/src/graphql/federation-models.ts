import { Field, ID, Int, ObjectType } from '@nestjs/graphql';

/** Who is in the federation, and what each has spent. */

@ObjectType({ description: 'Where analysts sign in.' })
export class SignIn {
  @Field()
  issuer!: string;

  @Field()
  clientId!: string;

  @Field()
  scope!: string;
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

  @Field(() => SignIn, { nullable: true })
  signIn!: SignIn | null;
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

  @Field(() => [String], {
    description:
      'ISO weeks it says it holds whole; empty where its records name months and no days.',
  })
  weeks!: string[];

  @Field(() => Int, { description: 'Resolution-9 cells of its public domain.' })
  domainCells!: number;

  @Field(() => String, { nullable: true })
  lastContactAt!: string | null;
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
