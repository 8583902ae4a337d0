/** Names of the job queues. A job only wakes a worker up; the step ledger and the report table are the truth. */
export const STEP_QUEUE = 'step';
export const REPORT_QUEUE = 'report';
export const REPORT_SCHEDULE_QUEUE = 'report_schedule';
export const QUEUES: readonly string[] = [STEP_QUEUE, REPORT_QUEUE, REPORT_SCHEDULE_QUEUE];
