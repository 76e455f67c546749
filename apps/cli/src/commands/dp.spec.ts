import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { chiSquarePValue, seededRandom } from '#libs/testing';
import { answerDelta, answerEpsilon, registerDp, sampleHistogram } from './dp.js';

const GAUSSIAN = { mechanism: 'discrete-gaussian', sigma2: '4', sensitivity: 1, count: 6 };
const LAPLACE = { mechanism: 'discrete-laplace', scale: '10', sensitivity: 1, count: 2 };
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('concordat dp epsilon and delta', () => {
  it('answer each other', () => {
    const text = JSON.stringify({ events: [GAUSSIAN, LAPLACE], delta: 1e-6 });
    const { epsilon, zcdpEpsilon } = answerEpsilon(text);
    expect(zcdpEpsilon).toBeNull();
    const { delta } = answerDelta(JSON.stringify({ events: [GAUSSIAN, LAPLACE], epsilon }));
    expect(delta / 1e-6).toBeCloseTo(1, 8);
    const alone = answerEpsilon(JSON.stringify({ events: [GAUSSIAN], delta: 1e-6 }));
    expect(alone.epsilon).toBeCloseTo(6.1748349, 6);
    expect(alone.zcdpEpsilon).toBeGreaterThan(alone.epsilon);
    expect(alone.lattice).toBe('exact');
  });

  it.each([
    ['malformed-json', '{"events":'],
    ['malformed-events', '{"events":[],"delta":1e-6}'],
    ['malformed-events', '{"events":[{"mechanism":"gaussian","sigma2":"4"}],"delta":1e-6}'],
    ['malformed-events', '{"events":[{"mechanism":"discrete-gaussian","sigma2":4}],"delta":1e-6}'],
    ['malformed-events', '{"events":[{"mechanism":"discrete-gaussian","scale":"4"}],"delta":1e-6}'],
    [
      'malformed-events',
      '{"events":[{"mechanism":"discrete-gaussian","sigma2":"4","x":1}],"delta":1e-6}',
    ],
    [
      'malformed-events',
      '{"events":[{"mechanism":"discrete-gaussian","sigma2":"4","count":0}],"delta":1e-6}',
    ],
    [
      'malformed-events',
      '{"events":[{"mechanism":"discrete-gaussian","sigma2":"4"}],"delta":1e-6,"x":1}',
    ],
    [
      'malformed-events',
      '{"events":[{"mechanism":"discrete-gaussian","sigma2":"4"}],"delta":"1e-6"}',
    ],
    [
      'malformed-rational',
      '{"events":[{"mechanism":"discrete-gaussian","sigma2":"0.5"}],"delta":1e-6}',
    ],
    ['bad-event', '{"events":[{"mechanism":"discrete-gaussian","sigma2":"-4"}],"delta":1e-6}'],
    ['bad-delta', '{"events":[{"mechanism":"discrete-gaussian","sigma2":"4"}],"delta":0}'],
    ['bad-delta', '{"events":[{"mechanism":"discrete-gaussian","sigma2":"4"}],"delta":1}'],
  ])('refuse with %s: %s', (expected, text) => {
    expect(() => answerEpsilon(text)).toThrow(code(expected));
  });
});

describe('concordat dp sample', () => {
  it('counts every draw, with the right probabilities', () => {
    const count = 300_000;
    const { histogram, drawsPerSecond } = sampleHistogram(
      { mechanism: 'discrete-laplace', scale: '3/2', count: String(count) },
      seededRandom('cli'),
    );
    const draws = Int32Array.from(
      Object.entries(histogram).flatMap(([value, seen]) => new Array(seen).fill(Number(value))),
    );
    expect(draws).toHaveLength(count);
    expect(drawsPerSecond).toBeGreaterThan(0);
    const probability = (x: number) => Math.tanh(1 / 3) * Math.exp(-Math.abs(x) / 1.5);
    // False alarm 1e-6 (seed fixed).
    expect(chiSquarePValue(draws, probability, 40)).toBeGreaterThan(1e-6);
  });

  it.each([
    ['usage', { mechanism: 'gaussian', sigma2: '1', count: '1' }],
    ['usage', { mechanism: 'discrete-gaussian', scale: '1', count: '1' }],
    ['usage', { mechanism: 'discrete-gaussian', sigma2: '1', count: '0' }],
    ['usage', { mechanism: 'discrete-gaussian', sigma2: '1', count: '1e3' }],
    ['usage', { mechanism: 'discrete-gaussian', sigma2: '1', count: '1000000001' }],
    ['malformed-rational', { mechanism: 'discrete-gaussian', sigma2: '0.1', count: '1' }],
    ['bad-variance', { mechanism: 'discrete-gaussian', sigma2: '-1', count: '1' }],
    ['bad-scale', { mechanism: 'discrete-laplace', scale: '0', count: '1' }],
  ])('refuses with %s: %j', (expected, options) => {
    expect(() => sampleHistogram(options, seededRandom('cli'))).toThrow(code(expected));
  });
});

describe('registerDp', () => {
  it('hangs five commands under one noun', () => {
    const program = new Command();
    registerDp(program);
    expect(program.commands.map((noun) => noun.name())).toEqual(['dp']);
    expect(program.commands[0]?.commands.map((command) => command.name())).toEqual([
      'epsilon',
      'delta',
      'convert',
      'calibrate',
      'sample',
    ]);
  });

  it.each([
    [['convert', '--rho', '0.5', '--delta', '1e-3'], 'malformed-rho'],
    [['convert', '--rho', '1/32', '--delta', 'NaN'], 'usage'],
    [['convert', '--rho', '1/32', '--delta', '2'], 'bad-delta'],
    [['calibrate', '--epsilon', '1', '--delta', '1e-6', '--sensitivity', '0.5'], 'usage'],
    [['calibrate', '--epsilon', '0', '--delta', '1e-6', '--sensitivity', '1'], 'bad-epsilon'],
  ])('refuses %j with %s', async (words, expected) => {
    const program = new Command();
    registerDp(program);
    await expect(program.parseAsync(['node', 'concordat', 'dp', ...words])).rejects.toThrow(
      code(expected),
    );
  });
});
