/** `profiler`: where the time and the memory of a program go, operator by operator. */

export { EventList, type KeyAveragesOptions } from './averages.js';
export { type FunctionEvent, FunctionEventAvg } from './events.js';
export { Profile, type ProfileOptions, profile, recordFunction } from './profile.js';
export { ProfilerAction, type ProfilerActionValue, type Schedule, type ScheduleOptions, schedule } from './schedule.js';
export type { TableOptions } from './table.js';
