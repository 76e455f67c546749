import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import fc from 'fast-check';
import { estimateDocument, registerDpEstimate } from './dp-estimate.js';

interface Node {
  id: string;
  parent: string | null;
  value: number | null;
  variance?: string | null;
}
const estimate = (...nodes: Node[]) => estimateList(nodes);
const estimateList = (nodes: readonly Node[]) => estimateDocument(JSON.stringify({ nodes })).nodes;
const node = (id: string, parent: string | null, value: number | null, variance?: string): Node =>
  variance === undefined ? { id, parent, value } : { id, parent, value, variance };

const HAY = [
  node('r', null, 13, '1'),
  node('a', 'r', 3, '1'),
  node('b', 'r', 11, '1'),
  node('a1', 'a', 4, '1'),
  node('a2', 'a', 1, '1'),
  node('b1', 'b', 12, '1'),
  node('b2', 'b', 1, '1'),
];
const HAY_ANSWER = { r: 14, a: 3, b: 11, a1: 3, a2: 0, b1: 11, b2: 0 };

describe('concordat dp estimate', () => {
  it('answers Hay et al. figure 2 in the order of the question, whatever that is', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(HAY, { minLength: HAY.length }), (nodes) => {
        const answer = estimateList(nodes);
        expect(answer.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
        for (const { id, estimate: value, integer } of answer) {
          const expected = HAY_ANSWER[id as keyof typeof HAY_ANSWER];
          expect(value).toBeCloseTo(expected, 12);
          expect(integer).toBe(expected);
        }
      }),
    );
  });

  it('estimates what was not measured, and says what is not determined', () => {
    const answer = estimate(
      node('r', null, 100, '4'),
      node('a', 'r', 30, '2'),
      node('b', 'r', null),
      node('b1', 'b', null, '1'),
      node('b2', 'b', null),
    );
    expect(answer.slice(0, 3).map(({ estimate: value, variance }) => [value, variance])).toEqual([
      [100, 4],
      [30, 2],
      [70, 6],
    ]);
    expect(answer[3]).toEqual({ id: 'b1', estimate: null, variance: null, integer: 35 });
    expect(answer.map(({ integer }) => integer)).toEqual([100, 30, 70, 35, 35]);
  });

  it('takes leaves at different depths, a single node, a negative total', () => {
    expect(estimate(node('r', null, -3, '1/9'))).toEqual([
      { id: 'r', estimate: -3, variance: expect.closeTo(1 / 9, 12), integer: 0 },
    ]);
    const uneven = estimate(
      node('r', null, 10, '1'),
      node('leaf', 'r', 4, '1'),
      node('a', 'r', null),
      node('a1', 'a', 9, '1'),
    );
    expect(uneven.map(({ estimate: value }) => value)).toEqual(
      [11, 3, 8, 8].map((x) => expect.closeTo(x, 12)),
    );
  });

  it('handles a chain and a star of 200,000 nodes', () => {
    const chain = Array.from({ length: 200_000 }, (_, i) =>
      node(`n${i}`, i === 0 ? null : `n${i - 1}`, 7, '1'),
    );
    expect(estimateList(chain).every(({ integer }) => integer === 7)).toBe(true);
    const star = Array.from({ length: 200_000 }, (_, i) =>
      node(`n${i}`, i === 0 ? null : 'n0', i === 0 ? 500_000 : 1, '1'),
    );
    const total = estimateList(star).reduce(
      (sum, { integer }, i) => (i === 0 ? -integer : sum + integer),
      0,
    );
    expect(total).toBe(0);
  });

  it.each([
    ['malformed-json', '{"nodes":['],
    ['malformed-tree', '[]'],
    ['malformed-tree', '{"nodes":[{"id":"r","parent":null,"value":1,"variance":1}]}'],
    ['malformed-tree', '{"nodes":[{"id":"r","parent":null,"value":1.5,"variance":"1"}]}'],
    ['malformed-tree', '{"nodes":[{"id":"r","parent":null,"value":"1","variance":"1"}]}'],
    ['malformed-tree', '{"nodes":[{"id":"r","parent":null,"value":2147483648,"variance":"1"}]}'],
    ['malformed-tree', '{"nodes":[{"id":"r","parent":null,"value":1,"variance":"1","x":0}]}'],
    ['malformed-tree', '{"nodes":[{"id":"r","value":1,"variance":"1"}]}'],
    ['empty-tree', '{"nodes":[]}'],
    ['malformed-rational', '{"nodes":[{"id":"r","parent":null,"value":1,"variance":"0.5"}]}'],
    ['malformed-rational', '{"nodes":[{"id":"r","parent":null,"value":1,"variance":"NaN"}]}'],
    ['invalid-variance', '{"nodes":[{"id":"r","parent":null,"value":1,"variance":"0"}]}'],
    ['invalid-variance', '{"nodes":[{"id":"r","parent":null,"value":1,"variance":"-1/2"}]}'],
    ['invalid-variance', '{"nodes":[{"id":"r","parent":null,"value":1}]}'],
    ['invalid-variance', '{"nodes":[{"id":"r","parent":null,"value":1,"variance":null}]}'],
  ])('refuses with %s: %s', (code, text) => {
    expect(() => estimateDocument(text)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['duplicate-node', [node('r', null, 1, '1'), node('r', 'r', 1, '1')]],
    ['several-roots', [node('r', null, 1, '1'), node('s', null, 1, '1')]],
    ['unknown-parent', [node('r', null, 1, '1'), node('s', 'q', 1, '1')]],
    ['no-root', [node('r', 's', 1, '1'), node('s', 'r', 1, '1')]],
    ['cyclic-tree', [node('t', null, 1, '1'), node('r', 's', 1, '1'), node('s', 'r', 1, '1')]],
    ['cyclic-tree', [node('t', null, 1, '1'), node('r', 'r', 1, '1')]],
  ])('refuses with %s (%#)', (code, nodes) => {
    expect(() => estimateList(nodes)).toThrow(expect.objectContaining({ code }));
  });

  it('hangs under the noun dp, which may stand already', () => {
    for (const program of [new Command(), new Command().addCommand(new Command('dp'))]) {
      registerDpEstimate(program);
      const nouns = program.commands.filter((command) => command.name() === 'dp');
      expect(nouns.map((noun) => noun.commands.map((command) => command.name()))).toEqual([
        ['estimate'],
      ]);
    }
  });
});
