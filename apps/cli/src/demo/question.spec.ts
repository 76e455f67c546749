import { describe, expect, it } from '@jest/globals';
import { assertAskable } from './question.js';

const asked = { from: undefined, to: undefined, categories: undefined };

describe('what is asked is checked before any file is read', () => {
  it.each([
    {},
    { from: '2024-01' },
    { to: '2024-12' },
    { from: '2023-12', to: '2024-01', categories: ['asb', 'robbery'] },
  ])('takes %j', (some) => expect(() => assertAskable({ ...asked, ...some })).not.toThrow());

  it.each([
    ['bad-period', { from: '2024-13' }],
    ['bad-period', { to: '2024-00' }],
    ['bad-period', { from: 'January' }],
    ['bad-period', { from: '' }],
    ['bad-period', { from: '2024-01/2024-02' }],
    ['bad-period', { from: '2024-W01', to: '2024-W02' }],
    ['period-order', { from: '2024-02', to: '2024-01' }],
    ['unknown-category', { categories: ['asb', 'arson'] }],
    ['unknown-category', { categories: [''] }],
  ])('%s for %j', (code, some) =>
    expect(() => assertAskable({ ...asked, ...some })).toThrow(expect.objectContaining({ code })),
  );
});
