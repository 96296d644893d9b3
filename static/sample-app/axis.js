// Axes: where the ticks go and what is written at them.

import { asDay, asHour, asMonth, asShortDay, asYear } from './date.js';

/** Round values that span the data: 1, 2 or 5 times a power of ten apart. */
export function valueTicks(low, high, wanted) {
  // One reading, or many equal ones, have no spread of their own: give them some room.
  const spread = high - low || Math.max(Math.abs(high) * 0.1, 1);
  const [from, to] = high > low ? [low, high] : [low - spread / 2, high + spread / 2];
  const rough = spread / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const first = Math.floor(from / step + 1e-9);
  const last = Math.ceil(to / step - 1e-9);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const value = (first + index) * step;
    return { value, label: value.toFixed(decimals) };
  });
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

// A step of the calendar: about how long it is, how wide its labels are in pixels, what they say,
// the last step before a date, and the next one after it. The calendar is walked in local time, so
// that a tick is at midnight or on the first of a month.
const hours = (count) => ({
  size: count * HOUR,
  width: 64,
  label: (time) => (new Date(time).getHours() === 0 ? asShortDay(time) : asHour(time)),
  floor: (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate(), Math.floor(date.getHours() / count) * count),
  next: (date) => date.setHours(date.getHours() + count),
});
const days = (count) => ({
  size: count * DAY,
  width: 96,
  label: asDay,
  floor: (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()),
  next: (date) => date.setDate(date.getDate() + count),
});
const months = (count) => ({
  size: count * 30.4 * DAY,
  width: 80,
  label: asMonth,
  floor: (date) => new Date(date.getFullYear(), Math.floor(date.getMonth() / count) * count, 1),
  next: (date) => date.setMonth(date.getMonth() + count),
});
const years = (count) => ({
  size: count * 365.25 * DAY,
  width: 48,
  label: asYear,
  floor: (date) => new Date(Math.floor(date.getFullYear() / count) * count, 0, 1),
  next: (date) => date.setFullYear(date.getFullYear() + count),
});

const STEPS = [
  ...[1, 3, 6, 12].map(hours),
  ...[1, 2, 7, 14].map(days),
  ...[1, 2, 3, 6].map(months),
  ...[1, 2, 5, 10, 20, 50].map(years),
];

/** Calendar moments between two times, as many as fit into so many pixels. */
export function timeTicks(start, end, pixels) {
  const step = STEPS.find(({ size, width }) => ((end - start) / size) * width <= pixels) ?? STEPS.at(-1);
  const ticks = [];
  for (const date = step.floor(new Date(start)); date.getTime() <= end; step.next(date)) {
    if (date.getTime() >= start) ticks.push(date.getTime());
  }
  // A span may happen to hold hardly any round moment: then its two ends have to do.
  return ticks.length > 1
    ? ticks.map((time) => ({ time, label: step.label(time) }))
    : [start, end].map((time) => ({ time, label: asDay(time) }));
}
