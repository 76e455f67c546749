export type { BullJobsOptions } from './bull-jobs.js';
export { type InlineJobsOptions, openInlineJobs } from './inline-jobs.js';
export {
  defineJob,
  type JobContext,
  type JobEvent,
  type JobFault,
  type JobKind,
  type JobStatus,
  type JobView,
  jobKey,
} from './job.js';
export type { EnqueueOptions, Jobs, JobsOptions, RunOptions } from './jobs.js';
export { openBullJobs, requireDurableRedis } from './over-redis.js';
export type { Recurring, ScheduleView } from './schedule.js';
export { answerTasks, type ThreadCall, Threads } from './threads.js';
