import { ArgsType, Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';

/** GraphQL shapes of layers. Figures are decimal texts, as in the result's own document. */

@ArgsType()
class LayerArgs {
  @Field(() => [ID], { description: 'Releases to compute from, each month counted once.' })
  releases!: string[];

  @Field(() => String, { nullable: true, description: 'First month, YYYY-MM.' })
  from?: string | null;

  @Field(() => String, { nullable: true, description: 'Last month, YYYY-MM.' })
  to?: string | null;

  @Field(() => Int, {
    defaultValue: 0,
    description: 'Seconds to wait for the result, at most 20; ask again for progress.',
  })
  waitSeconds!: number;
}

@ArgsType()
class CellLayerArgs extends LayerArgs {
  @Field(() => String)
  category!: string;

  @Field(() => Int, { description: 'H3 resolution, not finer than the releases.' })
  resolution!: number;
}

@ArgsType()
export class ConcentrationArgs extends CellLayerArgs {
  @Field(() => String, { nullable: true })
  coverage?: string | null;
}

@ArgsType()
export class HotspotsArgs extends CellLayerArgs {
  @Field(() => String, { nullable: true, description: 'False discovery rate, such as "0.05".' })
  rate?: string | null;

  @Field(() => String, { nullable: true, description: 'Share of the cells, such as "0.01".' })
  top?: string | null;
}

@ArgsType()
export class TrendArgs extends CellLayerArgs {
  @Field(() => String, { nullable: true })
  rate?: string | null;
}

@ArgsType()
export class EmergingArgs extends CellLayerArgs {
  @Field(() => Int, { nullable: true })
  draws?: number | null;

  @Field(() => String, { nullable: true })
  leastShown?: string | null;
}

@ArgsType()
export class WarningsArgs extends CellLayerArgs {
  @Field(() => Int, { nullable: true, description: 'Newest months that are watched.' })
  recent?: number | null;

  @Field(() => String, { nullable: true })
  falseAlarms?: string | null;
}

@ArgsType()
export class FairnessArgs extends CellLayerArgs {
  @Field(() => String, { nullable: true })
  top?: string | null;

  @Field(() => Int, { nullable: true })
  worlds?: number | null;
}

@ArgsType()
export class ForecastArgs extends LayerArgs {
  @Field(() => String, { description: 'A forecast layer that an owner has switched on.' })
  layer!: string;
}

@ArgsType()
export class EvaluationArgs extends LayerArgs {
  @Field(() => String)
  category!: string;

  @Field(() => String, { description: 'First month of the intervention, YYYY-MM.' })
  start!: string;

  @Field(() => [ID], { description: 'H3 cells of any resolution from 4 to that of the releases.' })
  treated!: string[];

  @Field(() => [ID])
  control!: string[];

  @Field(() => [ID], { nullable: true })
  displacement?: string[] | null;

  @Field(() => [ID], { nullable: true })
  displacementControl?: string[] | null;

  @Field(() => [[ID]], {
    nullable: true,
    description: 'Areas for a synthetic control, two or more.',
  })
  donors?: string[][] | null;

  @Field(() => String, { nullable: true })
  size?: string | null;
}

@ArgsType()
export class PlanArgs extends LayerArgs {
  @Field(() => [String], { nullable: true })
  categories?: string[] | null;

  @Field(() => String, { description: 'Budget of the whole year, an exact rational of zCDP rho.' })
  rhoPerYear!: string;

  @Field(() => Int, { nullable: true })
  runs?: number | null;

  @Field(() => String, { nullable: true })
  top?: string | null;

  @Field(() => String, { nullable: true })
  power?: string | null;
}

@ObjectType()
export class LayerRow {
  @Field(() => [String], { nullable: 'items', description: 'In the order of `columns`.' })
  values!: (string | null)[];
}

@ObjectType()
export class LayerPage {
  @Field(() => [LayerRow])
  nodes!: LayerRow[];

  @Field(() => String, {
    nullable: true,
    description: 'Give it as `after` for the next page; null on the last.',
  })
  endCursor!: string | null;

  @Field(() => Int)
  totalCount!: number;
}

@ObjectType({
  description:
    'A statistic over releases. The whole document, the bytes that anyone can compute again, is at /v1/layers/{key}.',
})
export class Layer {
  @Field(() => ID, { description: 'Content key: method, version, parameters and releases.' })
  key!: string;

  @Field()
  method!: string;

  @Field(() => Int)
  methodVersion!: number;

  @Field({ description: 'Every parameter, as JSON.' })
  parameters!: string;

  @Field(() => [ID], { description: 'Hashes of the releases it is computed from.' })
  releases!: string[];

  @Field({ description: 'waiting, running, done, failed or cancelled' })
  status!: string;

  @Field(() => Float, { description: 'Share done, 0 to 1.' })
  progress!: number;

  @Field(() => String, { nullable: true, description: 'Why it failed.' })
  code!: string | null;

  @Field(() => String, { nullable: true, description: 'What to do about that.' })
  message!: string | null;

  @Field(() => String, { nullable: true })
  question!: string | null;

  @Field(() => String, { nullable: true })
  citation!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What the uncertainty of each figure means.',
  })
  uncertainty!: string | null;

  @Field(() => [String], { nullable: true })
  limitations!: string[] | null;

  @Field(() => String, { nullable: true, description: 'Figures of the whole area, as JSON.' })
  summary!: string | null;

  @Field(() => String, { nullable: true, description: 'Which cells are listed.' })
  listed!: string | null;

  @Field(() => [String], { nullable: true })
  columns!: string[] | null;
}
