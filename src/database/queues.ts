/** Names of the job queues. A job only wakes a worker up; the step ledger, the reports and the deliveries are the truth. */
export const STEP_QUEUE = 'step';
export const REPORT_QUEUE = 'report';
/** Webhooks to clients of the gateway. */
export const DELIVERY_QUEUE = 'delivery';
export const REPORT_SCHEDULE_QUEUE = 'report_schedule';
export const QUEUES: readonly string[] = [STEP_QUEUE, REPORT_QUEUE, DELIVERY_QUEUE, REPORT_SCHEDULE_QUEUE];
