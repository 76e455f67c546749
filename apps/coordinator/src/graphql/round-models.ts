import { Field, ID, Int, ObjectType } from '@nestjs/graphql';

/** A question on its way, and what each agency did with it. */

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
