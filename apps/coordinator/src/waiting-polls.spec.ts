import { describe, expect, it } from '@jest/globals';
import { WaitingPolls } from './waiting-polls.js';

const LONG_MS = 600_000;

describe('polls that wait', () => {
  it('are woken by name, all of that name and no other', async () => {
    const polls = new WaitingPolls();
    const woken: string[] = [];
    const waits = ['a', 'a', 'b'].map((name) =>
      polls.wait(name, LONG_MS).then(() => woken.push(name)),
    );
    polls.wake('a');
    await Promise.all(waits.slice(0, 2));
    expect(woken).toEqual(['a', 'a']);
    expect(polls.size).toBe(1);
    polls.wake('b');
    await Promise.all(waits);
    expect(woken).toEqual(['a', 'a', 'b']);
    expect(polls.size).toBe(0);
  });

  it('return when their time is up, when they are given up, and at once when they were before', async () => {
    const polls = new WaitingPolls();
    await polls.wait('a', 1);
    const request = new AbortController();
    const wait = polls.wait('a', LONG_MS, request.signal);
    request.abort();
    await wait;
    await polls.wait('a', LONG_MS, request.signal);
    expect(request.signal.aborted).toBe(true);
    expect(polls.size).toBe(0);
  });

  it('are refused when they are closed, those that wait and those that come', async () => {
    const polls = new WaitingPolls();
    const waits = ['a', 'a', 'b'].map((name) => polls.wait(name, LONG_MS));
    polls.close();
    const ends = await Promise.allSettled([...waits, polls.wait('c', LONG_MS)]);
    for (const end of ends) {
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'stopping' } });
    }
    expect(polls.size).toBe(0);
  });
});
