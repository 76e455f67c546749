import type { Command } from 'commander';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import {
  compareRational,
  estimateHierarchy,
  hierarchyFromParents,
  integerMap,
  noisyCountsFromWire,
  parseRational,
  planEstimate,
  rationalToNumberUp,
  standardError,
  ZERO,
} from '#libs/dp';
import { readStandardInput } from '../standard-input.js';
import { dpCommand } from './dp.js';

const MOST_NODES = 2_000_000;
const MOST_BYTES = 400_000_000;

const TreeDocument = z.strictObject({ nodes: z.array(z.unknown()) });
const NodeDocument = z.strictObject({
  id: z.string().min(1),
  parent: z.string().nullable(),
  value: z.int32().nullable(),
  variance: z.string().nullish(),
});
type NodeDocument = z.infer<typeof NodeDocument>;

/** `estimate` and `variance` are null when the measurements do not determine the node. */
export interface EstimatedNode {
  readonly id: string;
  readonly estimate: number | null;
  readonly variance: number | null;
  readonly integer: number;
}

const refuse = (code: string, message: string): never => {
  throw new ConcordatError(code, message);
};

function readDocument(text: string): readonly NodeDocument[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return refuse('malformed-json', 'standard input is not a JSON document');
  }
  const tree = TreeDocument.safeParse(document);
  if (!tree.success) return refuse('malformed-tree', 'give one object {"nodes":[...]}');
  const { nodes } = tree.data;
  if (nodes.length === 0) refuse('empty-tree', 'a tree has at least its root');
  if (nodes.length > MOST_NODES) refuse('too-many-nodes', `at most ${MOST_NODES} nodes`);
  // One by one, so that a million bad nodes cost no more than the first.
  return nodes.map((node, i) => {
    const result = NodeDocument.safeParse(node);
    if (result.success) return result.data;
    return refuse(
      'malformed-tree',
      `node ${i}: give {"id","parent","value","variance"}, value a 32-bit integer or null, variance text`,
    );
  });
}

function parentPlaces(nodes: readonly NodeDocument[]): Int32Array {
  const places = new Map<string, number>();
  nodes.forEach(({ id }, i) => {
    if (places.has(id)) refuse('duplicate-node', 'two nodes have the same id');
    places.set(id, i);
  });
  return Int32Array.from(nodes, ({ parent }) => {
    if (parent === null) return -1;
    return (
      places.get(parent) ?? refuse('unknown-parent', 'a node names a parent that is not there')
    );
  });
}

/** Variance as a double, not below the exact one; Infinity for a node that is not measured. */
function varianceOf(texts: Map<string, number>, { value, variance }: NodeDocument): number {
  if (variance === undefined || variance === null) {
    if (value !== null)
      refuse('invalid-variance', 'a measured node needs a variance such as "7/3"');
    return Number.POSITIVE_INFINITY;
  }
  let number = texts.get(variance);
  if (number === undefined) {
    const exact = parseRational(variance);
    if (compareRational(exact, ZERO) <= 0) refuse('invalid-variance', 'a variance is positive');
    number = rationalToNumberUp(exact);
    texts.set(variance, number);
  }
  return value === null ? Number.POSITIVE_INFINITY : number;
}

/** Estimates a tree given as JSON text (see the command's help); the answer keeps the order of the nodes. */
export function estimateDocument(text: string): { readonly nodes: readonly EstimatedNode[] } {
  const nodes = readDocument(text);
  const { tree, position } = hierarchyFromParents(parentPlaces(nodes));
  const given = Array.from(position, (place) => nodes[place] as NodeDocument);
  const texts = new Map<string, number>();
  const plan = planEstimate(
    tree,
    Float64Array.from(given, (node) => varianceOf(texts, node)),
  );
  const noisy = noisyCountsFromWire(Int32Array.from(given, ({ value }) => value ?? 0));
  const estimates = estimateHierarchy(plan, noisy);
  const map = integerMap(tree, estimates);

  const answer = new Array<EstimatedNode>(nodes.length);
  position.forEach((place, v) => {
    const variance = plan.variance[v] as number;
    const determined = variance < Number.POSITIVE_INFINITY;
    answer[place] = {
      id: (nodes[place] as NodeDocument).id,
      estimate: determined ? (estimates[v] as number) : null,
      variance: determined ? variance : null,
      integer: map[v] as number,
    };
  });
  return { nodes: answer };
}

const asText = ({ id, estimate, variance, integer }: EstimatedNode): string =>
  estimate === null || variance === null
    ? `${id}\tnot determined\t\t${integer}`
    : `${id}\t${estimate.toFixed(3)}\t${standardError(variance).toFixed(3)}\t${integer}`;

const HELP = `
Reads {"nodes":[{"id":"r","parent":null,"value":13,"variance":"1"}, ...]} from standard input: any tree of up to two
million nodes in any order. value: the noisy integer, null when the node was not measured; variance: an exact fraction.
Answers {"nodes":[{"id","estimate","variance","integer"}]} in the same order: the best linear unbiased estimate, its
variance, and non-negative integers that add up in every family. estimate and variance are null where the measurements
do not determine a node; its integer is then an equal part of what its family has left.

Example:
  $ echo '{"nodes":[{"id":"r","parent":null,"value":13,"variance":"1"},
      {"id":"a","parent":"r","value":3,"variance":"1"},{"id":"b","parent":"r","value":11,"variance":"1"}]}' \\
      | concordat dp estimate --json`;

/** Adds `concordat dp estimate` under the noun `dp`, which it makes when no other command has. */
export function registerDpEstimate(program: Command): void {
  const dp = dpCommand(program);
  dp.command('estimate')
    .description('consistent estimates of a tree of noisy counts, from standard input')
    .option('--json', 'print one JSON document')
    .addHelpText('after', HELP)
    .action(async ({ json }: { json?: boolean }) => {
      const answer = estimateDocument(await readStandardInput(MOST_BYTES));
      if (json) process.stdout.write(`${JSON.stringify(answer)}\n`);
      else
        process.stdout.write(
          `id\testimate\tstandard error\tinteger\n${answer.nodes.map(asText).join('\n')}\n`,
        );
    });
}
