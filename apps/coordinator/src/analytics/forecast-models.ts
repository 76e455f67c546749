import { Field, ID, InputType, Int, ObjectType } from '@nestjs/graphql';

@ObjectType()
export class ForecastDefinitionView {
  @Field()
  category!: string;

  @Field(() => Int)
  resolution!: number;

  @Field(() => Int, { description: 'Months ahead.' })
  horizon!: number;

  @Field({ description: 'Share of the cells that can be attended to.' })
  top!: string;
}

@ObjectType({ description: 'A forecast that somebody answers for.' })
export class ForecastLayer {
  @Field(() => ID)
  layer!: string;

  @Field()
  isOn!: boolean;

  @Field({ description: 'Analyst of the manifest who switched it on.' })
  owner!: string;

  @Field()
  purpose!: string;

  @Field(() => ForecastDefinitionView)
  definition!: ForecastDefinitionView;

  @Field()
  enabledAt!: string;

  @Field(() => String, { nullable: true })
  disabledAt!: string | null;

  @Field(() => String, { nullable: true })
  disabledBy!: string | null;

  @Field(() => String, { nullable: true })
  reason!: string | null;

  @Field(() => [ID], {
    description: 'Results that raised the drift alarm since it was switched on.',
  })
  alarms!: string[];
}

@ObjectType()
export class ModelCardView {
  @Field({ description: 'The card as canonical JSON.' })
  json!: string;

  @Field()
  markdown!: string;
}

@InputType({ description: "An analyst's signed order (purpose forecast)." })
export class ForecastOrderInput {
  @Field({ description: 'The order as JSON; what is signed is its canonical form.' })
  payload!: string;

  @Field()
  publicKey!: string;

  @Field()
  signature!: string;
}
