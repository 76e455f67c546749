import { afterAll, beforeAll } from '@jest/globals';
import { PrivateRedis } from '#libs/testing';
import { openBullJobs } from './bull-jobs.js';
import { describeJobs } from './jobs-contract.fixture-spec.js';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await PrivateRedis.start();
});
afterAll(() => redis.stop());

describeJobs('bullmq', (place, options) =>
  openBullJobs({ ...options, redisUrl: redis.url, queue: `test-${place}`, isWorker: true }),
);
