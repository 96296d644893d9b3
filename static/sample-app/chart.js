// A line chart as SVG, by hand.
//
// It is drawn at the size it is shown, and again when that changes: a scaled drawing would have
// letters too small to read on a telephone. Colours and strokes are the style sheet's; two lines
// differ in colour, in the shape of their points and in their dashes, so that no one needs colour.

import { timeTicks, valueTicks } from './axis.js';
import { asDay } from './date.js';
import { drawn, element } from './page.js';
import { readingText } from './vital.js';

const MARGIN = { top: 12, right: 16, bottom: 28 };
const DAY = 24 * 3_600_000;

/** The mark of a point: a circle for the first line, a square set on its tip for the second. */
export function marker(column, x, y, radius, ...children) {
  const place = { class: `point line-${column}` };
  if (column === 0) return drawn('circle', { ...place, cx: x, cy: y, r: radius }, ...children);
  const reach = radius * 1.25;
  return drawn('path', { ...place, d: `M${x} ${y - reach}l${reach} ${reach}l${-reach} ${reach}l${-reach} ${-reach}z` }, ...children);
}

/**
 * The chart of a vital.
 *
 * @param vital   as made by vitalsIn()
 * @param onPick  called with the row that the pointer is nearest to, and with null when it leaves
 */
export function chart(vital, onPick) {
  const host = element('div', { class: 'chart' });
  let width = 0;
  const draw = () => {
    if (host.clientWidth === width || host.clientWidth === 0) return;
    width = host.clientWidth;
    host.replaceChildren(plot(vital, width, width > 520 ? 240 : 190, onPick));
  };
  // Runs once when the host gets its first size, too.
  new ResizeObserver(draw).observe(host);
  return host;
}

function plot(vital, width, height, onPick) {
  const { rows, names, unit } = vital;
  const numbers = rows.flatMap(({ values }) => values).filter((value) => value !== null);
  const yTicks = valueTicks(Math.min(...numbers), Math.max(...numbers), 4);
  const [low, high] = [yTicks[0].value, yTicks.at(-1).value];

  const times = rows.map(({ time }) => time);
  // A single moment has no span; it stands in the middle, with its own day as the only tick.
  const isSpan = times[0] < times.at(-1);
  const [start, end] = isSpan ? [times[0], times.at(-1)] : [times[0] - DAY, times[0] + DAY];

  const left = 14 + 7.5 * Math.max(...yTicks.map(({ label }) => label.length));
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const xTicks = isSpan ? timeTicks(start, end, right - left) : [{ time: times[0], label: asDay(times[0]) }];
  const x = (time) => round(left + 8 + ((time - start) / (end - start)) * (right - left - 16));
  // The lowest tick keeps off the axis, so that a point there is not taken for part of it.
  const floor = bottom - 10;
  const y = (value) => round(floor - ((value - low) / (high - low)) * (floor - MARGIN.top));

  const svg = drawn('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': summary(vital) });
  svg.append(
    axes({ yTicks, xTicks, x, y, left, right, bottom }),
    ...(names.length > 1 ? [spans(rows, x, y)] : []),
    ...names.map((_, column) => line(rows, column, x, y)),
  );
  const cursor = drawn('line', { class: 'cursor', y1: MARGIN.top, y2: bottom, visibility: 'hidden' });
  svg.append(cursor);
  const radius = Math.min(4, Math.max(2.5, (right - left) / rows.length / 3.5));
  names.forEach((name, column) => {
    for (const row of rows) {
      if (row.values[column] === null) continue;
      const words = `${name} ${row.comparators[column]}${row.values[column]} ${unit}, ${asDay(row.time)}`;
      svg.append(marker(column, x(row.time), y(row.values[column]), radius, drawn('title', {}, words)));
    }
  });
  follow(svg, cursor, rows, x, onPick);
  return svg;
}

const round = (number) => Math.round(number * 10) / 10;

function summary({ title, unit, rows }) {
  const [first, last] = [rows[0], rows.at(-1)];
  const text = `${title}: ${rows.length === 1 ? 'one reading' : `line chart of ${rows.length} readings`}`;
  const latest = `${readingText(last)} ${unit} on ${asDay(last.time)}`;
  return rows.length === 1
    ? `${text}, ${latest}.`
    : `${text}, from ${readingText(first)} ${unit} on ${asDay(first.time)} to ${latest}. A table of them follows.`;
}

function axes({ yTicks, xTicks, x, y, left, right, bottom }) {
  const group = drawn('g', { class: 'axes' });
  for (const { value, label } of yTicks) {
    group.append(
      drawn('line', { class: 'grid', x1: left, x2: right, y1: y(value), y2: y(value) }),
      drawn('text', { class: 'tick', x: left - 8, y: y(value) + 4, 'text-anchor': 'end' }, label),
    );
  }
  group.append(drawn('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom }));
  for (const { time, label } of xTicks) {
    // A label at the very edge would be cut off; it leans inward.
    const half = label.length * 3.4;
    const anchor = x(time) + half > right + MARGIN.right ? 'end' : x(time) - half < 0 ? 'start' : 'middle';
    group.append(
      drawn('line', { class: 'axis', x1: x(time), x2: x(time), y1: bottom, y2: bottom + 5 }),
      drawn('text', { class: 'tick', x: x(time), y: bottom + 20, 'text-anchor': anchor }, label),
    );
  }
  return group;
}

/** What belongs to one reading (systolic and diastolic) is tied together. */
function spans(rows, x, y) {
  const group = drawn('g', { class: 'spans' });
  for (const { time, values } of rows) {
    if (values.includes(null)) continue;
    group.append(drawn('line', { x1: x(time), x2: x(time), y1: y(Math.max(...values)), y2: y(Math.min(...values)) }));
  }
  return group;
}

function line(rows, column, x, y) {
  const points = rows.filter(({ values }) => values[column] !== null).map(({ time, values }) => `${x(time)} ${y(values[column])}`);
  return drawn('path', { class: `line line-${column}`, d: points.length > 1 ? `M${points.join('L')}` : '' });
}

/** A line that follows the pointer from reading to reading. */
function follow(svg, cursor, rows, x, onPick) {
  const leave = () => {
    cursor.setAttribute('visibility', 'hidden');
    onPick(null);
  };
  svg.addEventListener('pointermove', (event) => {
    const at = event.clientX - svg.getBoundingClientRect().left;
    const row = rows.reduce((best, each) => (Math.abs(x(each.time) - at) < Math.abs(x(best.time) - at) ? each : best));
    cursor.setAttribute('x1', x(row.time));
    cursor.setAttribute('x2', x(row.time));
    cursor.setAttribute('visibility', 'visible');
    onPick(row);
  });
  svg.addEventListener('pointerleave', leave);
  svg.addEventListener('pointercancel', leave);
}
